//! One attachment: a session's screen and bytes in, keys and sizes out.

use crate::client::Typing;
use crate::client::asynchronous::connection::Address;
use crate::client::asynchronous::connection::Connection;
use crate::client::envelope::Incoming;
use crate::client::error::Error;
use crate::protocol::message::Event;
use crate::protocol::verbs;
use crate::session::spec::Kind;
use crate::session::status::End;
use crate::term::Size;

/// The only channel of this connection.
const CHANNEL: u32 = 1;

/// What an attachment shows or tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Sequences that paint the screen as it is: write them to the terminal; they are no history.
    Screen(Vec<u8>),
    /// What the program wrote.
    Bytes {
        /// Offset of the first byte.
        at: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// So many bytes were overwritten before they could be read.
    Missed(u64),
    /// Somebody took control; this attachment is over.
    Stolen(verbs::Stolen),
    /// The session ended, or was removed; this attachment is over.
    Ended(Option<End>),
}

/// An attached session. Dropping it detaches; the session goes on.
#[derive(Debug)]
pub struct Attachment {
    address: Address,
    connection: Connection,
    request: verbs::Attach,
    attached: verbs::Attached,
    typing: Typing,
    next: Option<u64>,
    is_open: bool,
}

impl Attachment {
    pub(super) async fn open(address: Address, request: verbs::Attach) -> Result<Self, Error> {
        let connection = address.connect().await?;
        let mut attachment = Self {
            address,
            connection,
            next: request.resume,
            request: verbs::Attach { channel: CHANNEL, marks: false, ..request },
            attached: verbs::Attached::default(),
            typing: Typing::default(),
            is_open: false,
        };
        attachment.come_back().await?;
        Ok(attachment)
    }

    /// Returns what the daemon said when it was attached: id, name, whether it controls.
    #[must_use]
    pub const fn attached(&self) -> &verbs::Attached {
        &self.attached
    }

    /// Returns what comes next. A daemon that is killed is not noticed: the next one goes on at the next byte.
    pub async fn next(&mut self) -> Result<Output, Error> {
        loop {
            if !self.is_open {
                self.come_back().await?;
            }
            match self.connection.receive().await {
                Ok(Incoming::Bulk(bulk)) if bulk.more => return Ok(Output::Screen(bulk.bytes)),
                Ok(Incoming::Bulk(bulk)) => {
                    self.next = Some(bulk.at + bulk.bytes.len() as u64);
                    return Ok(Output::Bytes { at: bulk.at, bytes: bulk.bytes });
                }
                Ok(Incoming::Event(event)) => {
                    if let Some(credit) = event.get::<verbs::Credit>() {
                        let bytes = self.typing.credited(credit.bytes);
                        self.connection.input(CHANNEL, &bytes).await?;
                    }
                    if let Some(output) = told(&event) {
                        return Ok(output);
                    }
                }
                Ok(Incoming::Reply(_)) => {}
                Err(error) if error.is_lost() => self.is_open = false,
                Err(error) => return Err(error),
            }
        }
    }

    /// Types. What the program does not take yet waits here and goes on its way while [`Self::next`] is called. After
    /// [`Error::Lost`] nobody knows what arrived: [`Self::next`] comes back.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let bytes = self.typing.type_in(bytes);
        self.connection.input(CHANNEL, &bytes).await
    }

    /// Says that the terminal has another size.
    pub async fn resize(&mut self, size: Size) -> Result<(), Error> {
        if let Some(terminal) = &mut self.request.terminal {
            terminal.size = size;
        }
        self.connection.notify(&verbs::PaneSize { channel: CHANNEL, size, pixels: None })?;
        self.connection.flush(0).await
    }

    async fn come_back(&mut self) -> Result<(), Error> {
        loop {
            self.connection = self.address.connect().await?;
            let request = verbs::Attach { resume: self.next.filter(|_| !self.request.view), ..self.request.clone() };
            match self.connection.call(&request).await {
                Err(error) if error.is_lost() => {}
                result => {
                    self.attached = result?;
                    self.typing.renew(self.attached.credit, self.attached.kind == Kind::Pty);
                    self.request.returns = true;
                    self.request.target = self.attached.id.to_string();
                    // Coming back steals from nobody.
                    self.request.steal = false;
                    self.is_open = true;
                    return Ok(());
                }
            }
        }
    }
}

fn told(event: &Event) -> Option<Output> {
    if let Some(closed) = event.get::<verbs::Closed>() {
        return Some(Output::Ended(closed.end));
    }
    if let Some(missed) = event.get::<verbs::Missed>() {
        return Some(Output::Missed(missed.bytes));
    }
    event.get::<verbs::Stolen>().map(Output::Stolen)
}
