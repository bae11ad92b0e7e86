//! How far someone has read.

use super::id::ClientMessageId;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `consumptionhorizon`: how far someone has read, on the wire `A;B;C` (facts 3.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarker {
    /// Arrival of the last message read.
    pub arrival: Timestamp,
    /// When it was read.
    pub read_at: Timestamp,
    pub client_id: Option<ClientMessageId>,
}

impl ReadMarker {
    /// Reads `A;B;C`; `0;0;0`, incomplete or broken values say nothing and give `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let arrival: i64 = parts.next()?.parse().ok()?;
        let read_at = parts.next().and_then(|p| p.parse().ok()).unwrap_or(arrival);
        let client = parts.next().filter(|c| !c.is_empty() && *c != "0").map(ClientMessageId::new);
        (arrival > 0).then_some(Self {
            arrival: Timestamp(arrival),
            read_at: Timestamp(read_at),
            client_id: client,
        })
    }

    /// The wire form.
    pub fn text(&self) -> String {
        let client = self.client_id.as_ref().map_or("0", |c| c.as_str());
        format!("{};{};{client}", self.arrival.0, self.read_at.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_markers_of_the_wild_read() {
        let h = ReadMarker::parse("1461605505609;1461605570732;10435004700722293356").unwrap();
        assert_eq!(h.arrival, Timestamp(1_461_605_505_609));
        assert_eq!(h.client_id.as_ref().unwrap().as_str(), "10435004700722293356");
        assert_eq!(h.text(), "1461605505609;1461605570732;10435004700722293356");
        assert_eq!(ReadMarker::parse("0;0;0"), None);
        assert_eq!(ReadMarker::parse("..."), None);
        assert_eq!(ReadMarker::parse("").map(|h| h.text()), None);
        assert_eq!(ReadMarker::parse("12").unwrap().text(), "12;12;0");
    }
}
