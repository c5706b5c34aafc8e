//! A connection, whatever it is made of.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

trait Transport: Read + Write + Connection + Send + Unpin {}

impl<T: Read + Write + Connection + Send + Unpin> Transport for T {}

/// A connection to a server or to its proxy.
pub(crate) struct Link {
    transport: Box<dyn Transport>,
    /// Whether the other side is a proxy that is asked in place of the server.
    is_forwarding: bool,
}

impl Link {
    /// A connection to the server.
    pub(crate) fn new(transport: impl Read + Write + Connection + Send + Unpin + 'static) -> Self {
        Self {
            transport: Box::new(transport),
            is_forwarding: false,
        }
    }

    /// A connection to a proxy that is asked in place of the server.
    pub(crate) fn forwarding(transport: impl Read + Write + Connection + Send + Unpin + 'static) -> Self {
        Self {
            is_forwarding: true,
            ..Self::new(transport)
        }
    }
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        self.transport.connected().proxy(self.is_forwarding)
    }
}

impl Read for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_read(context, buffer)
    }
}

impl Write for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write_vectored(context, parts)
    }
}
