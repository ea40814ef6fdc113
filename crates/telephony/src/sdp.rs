//! Offers and answers (RFC 3264) for one stream of telephone audio.

use std::net::{IpAddr, SocketAddr};

use radline_audio::Codec;
use sdp_types::{Attribute, Connection, Media, Origin, Session, Time};

/// Payload type that we give to telephone events when the choice is ours.
const EVENT_PAYLOAD_TYPE: u8 = 101;

/// Which way audio may flow, seen from us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendReceive,
    /// From us only.
    SendOnly,
    /// To us only.
    ReceiveOnly,
    /// Not at all.
    Inactive,
}

impl Direction {
    const fn attribute(self) -> &'static str {
        match self {
            Self::SendReceive => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::ReceiveOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn parse(attribute: &str) -> Option<Self> {
        [Self::SendReceive, Self::SendOnly, Self::ReceiveOnly, Self::Inactive]
            .into_iter()
            .find(|direction| direction.attribute() == attribute)
    }

    /// The same stream, seen from the other side.
    const fn reversed(self) -> Self {
        match self {
            Self::SendOnly => Self::ReceiveOnly,
            Self::ReceiveOnly => Self::SendOnly,
            both => both,
        }
    }

    /// Whether we may send.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendReceive | Self::SendOnly)
    }
}

/// What both sides agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// Where to send.
    pub remote: SocketAddr,
    /// Codec, in both directions.
    pub codec: Codec,
    /// Payload type of the codec on the wire.
    pub payload_type: u8,
    /// Payload type of telephone events, when agreed.
    pub events: Option<u8>,
    /// Which way audio may flow, seen from us.
    pub direction: Direction,
    /// The other side has put us on hold.
    pub held: bool,
}

/// Why an offer cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Not SDP.
    #[error("the session description cannot be read")]
    Unreadable,
    /// No stream that we can take.
    #[error("no audio stream with a codec that we speak")]
    NothingInCommon,
}

/// An offer or answer of the other side, with the place of the stream that we take.
#[derive(Debug, Clone)]
pub struct Description {
    session: Session,
    index: usize,
    agreement: Agreement,
}

impl Description {
    /// Reads an offer or an answer.
    pub fn parse(body: &[u8]) -> Result<Self, SdpError> {
        let session = Session::parse(body).map_err(|_| SdpError::Unreadable)?;
        let found = session
            .medias
            .iter()
            .enumerate()
            .find_map(|(index, media)| Some((index, agreement(&session, media)?)));
        let (index, agreement) = found.ok_or(SdpError::NothingInCommon)?;
        Ok(Self { session, index, agreement })
    }

    /// What follows from it.
    pub const fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// Our answer: the one stream that we take, every other one refused. `version` grows with
    /// each answer of a call.
    pub fn answer(&self, local: SocketAddr, version: u64) -> Vec<u8> {
        let medias = self.session.medias.iter().enumerate().map(|(index, offered)| {
            if index == self.index { self.accepted(local.port()) } else { refused(offered) }
        });
        write(local, version, medias.collect())
    }

    fn accepted(&self, port: u16) -> Media {
        let agreed = &self.agreement;
        stream(port, &[(agreed.payload_type, agreed.codec)], agreed.events, agreed.direction)
    }
}

/// Our own offer, for a call that came without one.
pub fn offer(local: SocketAddr, version: u64) -> Vec<u8> {
    let codecs = Codec::ALL.map(|codec| (codec.payload_type(), codec));
    let media = stream(local.port(), &codecs, Some(EVENT_PAYLOAD_TYPE), Direction::SendReceive);
    write(local, version, vec![media])
}

fn agreement(session: &Session, media: &Media) -> Option<Agreement> {
    if media.media != "audio" || media.proto != "RTP/AVP" || media.port == 0 {
        return None;
    }
    let formats: Vec<u8> = media.fmt.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    let (payload_type, codec) =
        formats.iter().find_map(|format| Some((*format, codec(media, *format)?)))?;
    let events = formats.into_iter().find(|format| {
        mapping(media, *format)
            .is_some_and(|name| name.eq_ignore_ascii_case("telephone-event/8000"))
    });
    let connection = media.connections.first().or(session.connection.as_ref())?;
    let address: IpAddr = connection.connection_address.split('/').next()?.parse().ok()?;
    // The attribute of the stream outranks that of the session; 0.0.0.0 is how phones of the
    // last century say "hold" (RFC 3264, 8.4).
    let mut attributes = media.attributes.iter().chain(&session.attributes);
    let theirs = attributes.find_map(|attribute| Direction::parse(&attribute.attribute));
    let theirs = match (address.is_unspecified(), theirs.unwrap_or(Direction::SendReceive)) {
        (true, _) => Direction::SendOnly,
        (false, direction) => direction,
    };
    Some(Agreement {
        remote: SocketAddr::new(address, media.port),
        codec,
        payload_type,
        events,
        direction: theirs.reversed(),
        held: matches!(theirs, Direction::SendOnly | Direction::Inactive),
    })
}

/// The codec of a payload type, by its mapping or by RFC 3551.
fn codec(media: &Media, format: u8) -> Option<Codec> {
    let mapped = mapping(media, format);
    Codec::ALL.into_iter().find(|codec| match mapped {
        Some(name) => {
            let mut parts = name.split('/');
            parts.next().is_some_and(|name| name.eq_ignore_ascii_case(codec.encoding_name()))
                && parts.next() == Some("8000")
        }
        None => codec.payload_type() == format,
    })
}

/// "PCMU/8000" for a payload type that has an `rtpmap`.
fn mapping(media: &Media, format: u8) -> Option<&str> {
    media.attributes.iter().filter(|attribute| attribute.attribute == "rtpmap").find_map(|map| {
        let (number, name) = map.value.as_deref()?.split_once(' ')?;
        (number.parse() == Ok(format)).then(|| name.trim())
    })
}

fn stream(port: u16, codecs: &[(u8, Codec)], events: Option<u8>, direction: Direction) -> Media {
    let mut formats: Vec<String> = codecs.iter().map(|(format, _)| format.to_string()).collect();
    let mut attributes: Vec<Attribute> = codecs
        .iter()
        .map(|(format, codec)| {
            Attribute::with_value("rtpmap", format!("{format} {}/8000", codec.encoding_name()))
        })
        .collect();
    if let Some(events) = events {
        formats.push(events.to_string());
        attributes.push(Attribute::with_value("rtpmap", format!("{events} telephone-event/8000")));
        attributes.push(Attribute::with_value("fmtp", format!("{events} 0-16")));
    }
    attributes.push(Attribute::with_value("ptime", "20"));
    attributes.push(Attribute::new(direction.attribute()));
    media("audio", port, "RTP/AVP", formats.join(" "), attributes)
}

fn refused(offered: &Media) -> Media {
    media(&offered.media, 0, &offered.proto, offered.fmt.clone(), Vec::new())
}

fn media(kind: &str, port: u16, proto: &str, fmt: String, attributes: Vec<Attribute>) -> Media {
    Media {
        media: kind.to_owned(),
        port,
        num_ports: None,
        proto: proto.to_owned(),
        fmt,
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes,
    }
}

fn write(local: SocketAddr, version: u64, medias: Vec<Media>) -> Vec<u8> {
    let mut origin = Origin::with_ip_addr("1", version, local.ip());
    origin.username = Some("radline".to_owned());
    let session = Session {
        origin,
        session_name: "Radline".to_owned(),
        session_description: None,
        uri: None,
        emails: Vec::new(),
        phones: Vec::new(),
        connection: Some(Connection::from_ip_addr(local.ip())),
        bandwidths: Vec::new(),
        times: vec![Time::new(0, 0)],
        time_zones: Vec::new(),
        key: None,
        attributes: Vec::new(),
        medias,
    };
    let mut body = Vec::new();
    // Writing to memory cannot fail; an empty body would be refused by the other side.
    if session.write(&mut body).is_err() {
        body.clear();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer_text(media: &str) -> String {
        format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{media}")
    }

    fn parse(media: &str) -> Result<Agreement, SdpError> {
        Description::parse(offer_text(media).as_bytes()).map(|description| *description.agreement())
    }

    const LOCAL: &str = "198.51.100.1:4000";

    #[test]
    fn the_first_codec_in_common_is_taken() {
        let agreed =
            parse("m=audio 4004 RTP/AVP 9 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n");
        let agreed = agreed.expect("in common");
        assert_eq!((agreed.codec, agreed.payload_type, agreed.events), (Codec::Pcma, 8, Some(101)));
        assert_eq!(agreed.remote, "192.0.2.9:4004".parse::<SocketAddr>().expect("reads"));
        let dynamic =
            parse("m=audio 4004 RTP/AVP 96\r\na=rtpmap:96 pcmu/8000\r\n").expect("mapped");
        assert_eq!((dynamic.codec, dynamic.payload_type), (Codec::Pcmu, 96));
    }

    #[test]
    fn offers_without_anything_for_us_are_refused() {
        assert_eq!(parse("m=audio 4004 RTP/AVP 9\r\n"), Err(SdpError::NothingInCommon));
        assert_eq!(parse("m=audio 4004 RTP/SAVP 0\r\n"), Err(SdpError::NothingInCommon));
        assert_eq!(parse("m=audio 0 RTP/AVP 0\r\n"), Err(SdpError::NothingInCommon));
        assert_eq!(parse(""), Err(SdpError::NothingInCommon));
        assert!(matches!(Description::parse(b"nonsense"), Err(SdpError::Unreadable)));
    }

    #[test]
    fn hold_is_answered_by_the_opposite_direction() {
        for (theirs, ours, held) in [
            ("sendrecv", Direction::SendReceive, false),
            ("sendonly", Direction::ReceiveOnly, true),
            ("recvonly", Direction::SendOnly, false),
            ("inactive", Direction::Inactive, true),
        ] {
            let agreed = parse(&format!("m=audio 4004 RTP/AVP 0\r\na={theirs}\r\n")).expect("ok");
            assert_eq!((agreed.direction, agreed.held), (ours, held), "{theirs}");
        }
        let old = parse("m=audio 4004 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n").expect("ok");
        assert!(old.held);
    }

    #[test]
    fn the_answer_takes_one_stream_and_refuses_the_others() {
        let text =
            offer_text("m=video 5000 RTP/AVP 31\r\nm=audio 4004 RTP/AVP 0\r\na=sendonly\r\n");
        let description = Description::parse(text.as_bytes()).expect("reads");
        let answer = description.answer(LOCAL.parse().expect("reads"), 2);
        let answer = String::from_utf8(answer).expect("text");
        assert!(answer.contains("m=video 0 RTP/AVP 31"), "{answer}");
        assert!(answer.contains("m=audio 4000 RTP/AVP 0\r\n"), "{answer}");
        assert!(answer.contains("a=recvonly"), "{answer}");
        assert!(answer.contains("c=IN IP4 198.51.100.1"), "{answer}");
    }

    #[test]
    fn our_offer_is_one_that_we_would_take() {
        let body = offer(LOCAL.parse().expect("reads"), 1);
        let agreed = Description::parse(&body).map(|description| *description.agreement());
        assert_eq!(
            agreed.map(|agreed| (agreed.codec, agreed.events)),
            Ok((Codec::Pcmu, Some(101)))
        );
    }
}
