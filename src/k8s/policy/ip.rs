//! Addresses in ranges: CIDR blocks, and sets of them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The version of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "nothing to add to the names")]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// The last address.
    pub fn last(self) -> u128 {
        match self {
            Family::V4 => u128::from(u32::MAX),
            Family::V6 => u128::MAX,
        }
    }
}

/// Addresses of one family, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpRange {
    /// The family.
    pub family: Family,
    /// The first address.
    pub first: u128,
    /// The last address.
    pub last: u128,
}

impl IpRange {
    /// Every address of a family.
    pub fn all(family: Family) -> IpRange {
        IpRange { family, first: 0, last: family.last() }
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |address: u128| match self.family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from(u32::try_from(address).unwrap_or(u32::MAX))),
            Family::V6 => IpAddr::V6(Ipv6Addr::from(address)),
        };
        write!(f, "{}-{}", show(self.first), show(self.last))
    }
}

/// A CIDR block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// Its addresses.
    pub range: IpRange,
}

impl Cidr {
    /// Reads `10.0.0.0/8` or `fd00::/8`. Bits behind the prefix are ignored, as in Kubernetes.
    pub fn parse(text: &str) -> Option<Cidr> {
        let (address, length) = text.trim().split_once('/')?;
        let length: u32 = length.parse().ok()?;
        let (family, value, bits) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(a) => (Family::V4, u128::from(u32::from(a)), 32),
            IpAddr::V6(a) => (Family::V6, u128::from(a), 128),
        };
        let host = bits - (length <= bits).then_some(length)?;
        let mask = if host == 128 { u128::MAX } else { (1 << host) - 1 };
        Some(Cidr { range: IpRange { family, first: value & !mask, last: value | mask } })
    }
}

/// A set of addresses, as ranges in order that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Addresses {
    ranges: Vec<IpRange>,
}

impl Addresses {
    /// The addresses of one block.
    pub fn of(cidr: Cidr) -> Addresses {
        Addresses { ranges: vec![cidr.range] }
    }

    /// The ranges, in order.
    pub fn ranges(&self) -> &[IpRange] {
        &self.ranges
    }

    /// Takes a block out.
    pub fn remove(&mut self, cidr: Cidr) {
        let out = cidr.range;
        let mut kept = Vec::with_capacity(self.ranges.len() + 1);
        for range in self.ranges.drain(..) {
            if range.family != out.family || range.last < out.first || range.first > out.last {
                kept.push(range);
                continue;
            }
            if range.first < out.first {
                kept.push(IpRange { last: out.first - 1, ..range });
            }
            if range.last > out.last {
                kept.push(IpRange { first: out.last + 1, ..range });
            }
        }
        self.ranges = kept;
    }

    /// Adds ranges; what touches becomes one.
    pub fn add(&mut self, ranges: &[IpRange]) {
        self.ranges.extend_from_slice(ranges);
        self.ranges.sort();
        let mut joined: Vec<IpRange> = Vec::with_capacity(self.ranges.len());
        for range in self.ranges.drain(..) {
            match joined.last_mut() {
                Some(last) if last.family == range.family && range.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(range.last);
                }
                _ => joined.push(range),
            }
        }
        self.ranges = joined;
    }

    /// Whether an address is among them.
    pub fn contains(&self, family: Family, address: u128) -> bool {
        self.ranges.iter().any(|r| r.family == family && r.first <= address && address <= r.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        Cidr::parse(text).unwrap()
    }

    #[test]
    fn a_block_is_read_in_both_families() {
        assert_eq!(cidr("10.1.2.3/8").range.to_string(), "10.0.0.0-10.255.255.255");
        assert_eq!(cidr("0.0.0.0/0").range, IpRange::all(Family::V4));
        assert_eq!(cidr("::/0").range, IpRange::all(Family::V6));
        assert_eq!(cidr("fd00::/8").range.to_string(), "fd00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        for bad in ["10.0.0.0", "10.0.0.0/33", "x/8", "", "10.0.0/8", "::/129"] {
            assert_eq!(Cidr::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn exceptions_are_cut_out_and_ranges_that_touch_are_joined() {
        let mut set = Addresses::of(cidr("10.0.0.0/8"));
        set.remove(cidr("10.1.0.0/16"));
        set.remove(cidr("10.255.0.0/16"));
        let shown: Vec<String> = set.ranges().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.0-10.0.255.255", "10.2.0.0-10.254.255.255"]);
        set.add(&[cidr("10.1.0.0/16").range]);
        assert_eq!(set.ranges().len(), 1);
        assert!(set.contains(Family::V4, u128::from(u32::from(Ipv4Addr::new(10, 1, 2, 3)))));
        assert!(!set.contains(Family::V6, 1));
    }
}
