//! [`Message`]: what can go on the control stream, and [`encode`], which puts it there.

use bytes::BytesMut;
use prost::Message as _;
use sayso_proto::device::v1 as proto;

use crate::{Error, ToDevice, ToNode};

/// Bytes that a message may have, without the length in front of it: room for a screenful of text, and little enough
/// that ten thousand connections each holding a half-received message cost 160 MB. While one is parsed, its fields
/// take a few hundred KiB at worst (a repeated field of empty texts), until their number is checked.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// One direction of the control stream: [`ToNode`] or [`ToDevice`].
pub trait Message: Sized + sealed::Sealed {
    /// Its shape in protobuf.
    type Proto: prost::Message + Default;

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::UnknownMessage`] or [`Error::Field`].
    fn from_proto(proto: Self::Proto) -> Result<Self, Error>;

    /// The same as protobuf.
    ///
    /// # Errors
    /// [`Error::OpusLength`].
    fn to_proto(&self) -> Result<Self::Proto, Error>;
}

/// Appends `message`, with its length in front, to `out`.
///
/// # Errors
/// [`Error::MessageTooLong`] or [`Error::OpusLength`]; `out` is as it was.
pub fn encode<M: Message>(message: &M, out: &mut BytesMut) -> Result<(), Error> {
    let proto = message.to_proto()?;
    let bytes = proto.encoded_len();
    if bytes > MESSAGE_BYTES_MAX {
        return Err(Error::MessageTooLong { bytes });
    }
    // it fails only when a buffer cannot grow any more
    proto.encode_length_delimited(out).map_err(|_| Error::MessageTooLong { bytes })
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ToNode {}
    impl Sealed for super::ToDevice {}
}

impl Message for ToNode {
    type Proto = proto::ToNode;

    fn from_proto(proto: proto::ToNode) -> Result<Self, Error> {
        proto.message.ok_or(Error::UnknownMessage)?.try_into()
    }

    fn to_proto(&self) -> Result<proto::ToNode, Error> {
        Ok(proto::ToNode { message: Some(self.try_into()?) })
    }
}

impl Message for ToDevice {
    type Proto = proto::ToDevice;

    fn from_proto(proto: proto::ToDevice) -> Result<Self, Error> {
        proto.message.ok_or(Error::UnknownMessage)?.try_into()
    }

    fn to_proto(&self) -> Result<proto::ToDevice, Error> {
        Ok(proto::ToDevice { message: Some(self.try_into()?) })
    }
}
