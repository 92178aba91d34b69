//! The task that holds the connection for calls: requests out, replies back to whoever waits, matched by number.
//!
//! *Invariant:* a request stays here until it is answered; a connection that breaks means that all of them are sent again.

use std::collections::BTreeMap;
use std::io;

use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::client::asynchronous::connection::Address;
use crate::client::asynchronous::connection::Connection;
use crate::client::envelope::Incoming;
use crate::client::envelope::TRIES;
use crate::client::error::Error;
use crate::protocol::message::Reply;

/// A request that waits for its answer.
pub struct Call {
    id: u64,
    /// The whole frame, to send it again.
    frame: Vec<u8>,
    tries: u32,
    reply_tx: oneshot::Sender<Result<Reply, Error>>,
}

impl Call {
    /// Makes one.
    pub const fn new(id: u64, frame: Vec<u8>, reply_tx: oneshot::Sender<Result<Reply, Error>>) -> Self {
        Self { id, frame, tries: 0, reply_tx }
    }
}

struct Calls {
    address: Address,
    /// None after it broke and could not be made again: the next call tries once more.
    connection: Option<Connection>,
    pending: BTreeMap<u64, Call>,
}

/// Runs until the last client is gone.
pub async fn run(address: Address, connection: Connection, mut calls_rx: mpsc::Receiver<Call>) {
    let mut calls = Calls { address, connection: Some(connection), pending: BTreeMap::new() };
    loop {
        let Some(connection) = &mut calls.connection else {
            let Some(call) = calls_rx.recv().await else { return };
            calls.pending.insert(call.id, call);
            calls.come_back().await;
            continue;
        };
        tokio::select! {
            call = calls_rx.recv() => match call {
                Some(call) => {
                    connection.push_frame(&call.frame);
                    calls.pending.insert(call.id, call);
                }
                None => return,
            },
            incoming = connection.receive() => match incoming {
                Ok(Incoming::Reply(reply)) => {
                    if let Some(call) = calls.pending.remove(&reply.id) {
                        let _ = call.reply_tx.send(Ok(reply));
                    }
                }
                Ok(Incoming::Event(_) | Incoming::Bulk(_)) => {}
                Err(error) if error.is_lost() => calls.come_back().await,
                Err(error) => calls.fail(&error),
            },
        }
    }
}

impl Calls {
    /// Connects again and sends again what was not answered.
    async fn come_back(&mut self) {
        self.connection = None;
        self.pending.retain(|_, call| !call.reply_tx.is_closed());
        let worn: Vec<u64> = self.pending.values().filter(|call| call.tries >= TRIES).map(|call| call.id).collect();
        for id in worn {
            self.answer(id, Error::Lost(io::ErrorKind::ConnectionReset.into()));
        }
        if self.pending.is_empty() {
            return;
        }
        match self.address.connect().await {
            Ok(mut connection) => {
                for call in self.pending.values_mut() {
                    call.tries += 1;
                    connection.push_frame(&call.frame);
                }
                self.connection = Some(connection);
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Nobody can be answered any more; the next call starts afresh.
    fn fail(&mut self, error: &Error) {
        self.connection = None;
        while let Some((id, _)) = self.pending.first_key_value() {
            let id = *id;
            self.answer(id, error.again());
        }
    }

    fn answer(&mut self, id: u64, error: Error) {
        if let Some(call) = self.pending.remove(&id) {
            let _ = call.reply_tx.send(Err(error));
        }
    }
}
