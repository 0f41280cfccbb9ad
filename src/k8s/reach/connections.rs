//! Sets of connections: ports by protocol.

use std::fmt;

use super::super::policy::Protocol;

/// Ports of one protocol, as ranges in order that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Ports(Vec<(u16, u16)>);

const FIRST: u16 = 1;

impl Ports {
    fn all() -> Ports {
        Ports(vec![(FIRST, u16::MAX)])
    }

    fn add(&mut self, first: u16, last: u16) {
        self.0.push((first, last));
        self.0.sort_unstable();
        let mut joined: Vec<(u16, u16)> = Vec::with_capacity(self.0.len());
        for (first, last) in self.0.drain(..) {
            match joined.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => joined.push((first, last)),
            }
        }
        self.0 = joined;
    }

    fn and(&self, other: &Ports) -> Ports {
        let mut found = Vec::new();
        for &(first, last) in &self.0 {
            for &(from, to) in &other.0 {
                if first.max(from) <= last.min(to) {
                    found.push((first.max(from), last.min(to)));
                }
            }
        }
        Ports(found)
    }
}

/// A set of connections: for each protocol, the ports of the side that listens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Connections {
    ports: [Ports; 3],
}

impl Connections {
    /// No connection.
    pub fn none() -> Connections {
        Connections::default()
    }

    /// Every connection.
    pub fn all() -> Connections {
        Connections { ports: [Ports::all(), Ports::all(), Ports::all()] }
    }

    /// One port.
    pub fn one(protocol: Protocol, port: u16) -> Connections {
        let mut one = Connections::none();
        one.insert(protocol, port, port);
        one
    }

    /// Adds ports, both ends included.
    pub fn insert(&mut self, protocol: Protocol, first: u16, last: u16) {
        if first.max(FIRST) <= last
            && let Some(ports) = self.ports.get_mut(protocol as usize)
        {
            ports.add(first.max(FIRST), last);
        }
    }

    /// Adds every port of a protocol.
    pub fn insert_all(&mut self, protocol: Protocol) {
        self.insert(protocol, FIRST, u16::MAX);
    }

    /// Adds all of another set.
    pub fn add(&mut self, other: &Connections) {
        for (protocol, ports) in Protocol::ALL.into_iter().zip(&other.ports) {
            ports.0.iter().for_each(|&(first, last)| self.insert(protocol, first, last));
        }
    }

    /// What is in both.
    pub fn and(&self, other: &Connections) -> Connections {
        let [a, b, c] = &self.ports;
        let [x, y, z] = &other.ports;
        Connections { ports: [a.and(x), b.and(y), c.and(z)] }
    }

    /// Whether a port is in the set.
    pub fn contains(&self, protocol: Protocol, port: u16) -> bool {
        let ports = self.ports.get(protocol as usize).map_or(&[][..], |p| &p.0);
        ports.iter().any(|&(first, last)| first <= port && port <= last)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ports.iter().all(|p| p.0.is_empty())
    }

    /// Whether nothing is left out.
    pub fn is_all(&self) -> bool {
        self.ports.iter().all(|p| p.0 == [(FIRST, u16::MAX)])
    }

    /// The ranges of every protocol that has some.
    pub fn ranges(&self) -> impl Iterator<Item = (Protocol, &[(u16, u16)])> {
        Protocol::ALL.into_iter().zip(&self.ports).filter(|(_, p)| !p.0.is_empty()).map(|(q, p)| (q, p.0.as_slice()))
    }
}

impl fmt::Display for Connections {
    /// `SCTP 7070,TCP 8080-8081,UDP 9090`, `All Connections`, `No Connections`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("All Connections");
        }
        if self.is_empty() {
            return f.write_str("No Connections");
        }
        for (index, (protocol, ranges)) in self.ranges().enumerate() {
            write!(f, "{}{} ", if index == 0 { "" } else { "," }, protocol.as_str())?;
            for (index, (first, last)) in ranges.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                match first == last {
                    true => write!(f, "{comma}{first}")?,
                    false => write!(f, "{comma}{first}-{last}")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_join_cut_and_print() {
        let mut set = Connections::one(Protocol::Udp, 9090);
        set.insert(Protocol::Tcp, 8080, 8080);
        set.insert(Protocol::Tcp, 8081, 8081);
        set.insert(Protocol::Sctp, 7070, 7070);
        set.insert(Protocol::Tcp, 9000, 9000);
        assert_eq!(set.to_string(), "SCTP 7070,TCP 8080-8081,9000,UDP 9090");
        assert_eq!(set.and(&Connections::all()), set);
        assert_eq!(set.and(&Connections::one(Protocol::Tcp, 8081)).to_string(), "TCP 8081");
        let mut all = Connections::none();
        assert_eq!(all.to_string(), "No Connections");
        Protocol::ALL.into_iter().for_each(|p| all.insert_all(p));
        assert_eq!(all.to_string(), "All Connections");
        assert!(all.is_all() && all.contains(Protocol::Tcp, 65535) && !all.contains(Protocol::Tcp, 0));
    }
}
