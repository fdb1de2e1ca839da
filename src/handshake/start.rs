//! The start of a session: its two directions, its actor, and the task that runs it.

use std::{rc::Rc, time::Instant};

use actix::Context;
use actix_web::dev::Payload;
use serde_json::value::RawValue;

use crate::{
    admission::Admission,
    protocol::{Encoder, EncoderOptions, Limits, Server, deflate::Deflate},
    session::{
        EchoSession, FrameIo, GluedHead, Inbound, Outbound, Session, SessionContext, SessionDetails,
        SessionMemory, SessionObserver, SessionSetup, behaviour::Behaviour, watch::WatchedConnection,
    },
    transport::{ByteSource, Carrier, SessionTask},
};

/// A handshake that was validated and negotiated.
pub(super) struct HandshakeResult {
    pub(super) behaviour: Behaviour,
    pub(super) limits: Limits,
    /// The description of the connection for `reply=json`.
    pub(super) description: Option<Box<RawValue>>,
    /// The head of the 101, if the session sends it.
    pub(super) glued: Option<GluedHead>,
    pub(super) details: SessionDetails,
    pub(super) deflate: Option<Deflate>,
    pub(super) payload: Payload,
}

impl HandshakeResult {
    /// Creates the session's actor, and the task that runs it on `carrier`.
    pub(super) fn into_task(
        self,
        context: &Rc<SessionContext>,
        admission: &Admission,
        carrier: Carrier,
    ) -> impl Future<Output = ()> + use<> {
        let Self {
            behaviour,
            limits,
            description,
            glued,
            details,
            deflate,
            payload,
        } = self;
        let now = Instant::now();
        let publisher = details.watched.as_ref().map(WatchedConnection::frame_publisher);
        let observer = SessionObserver::new(context.counters.clone(), publisher);
        let inbound = Inbound::new(
            ByteSource::new(payload, carrier.clone(), behaviour.read_rate),
            limits,
            deflate.as_ref().map(Deflate::inflater::<Server>),
            observer.clone(),
            now,
        );
        let options = EncoderOptions {
            deflater: deflate.as_ref().map(Deflate::deflater::<Server>),
            fragment: behaviour.fragment,
        };
        let outbound = Rc::new(Outbound::new(Encoder::new(options, (), observer), behaviour.rate));
        let io = FrameIo {
            inbound,
            outbound: Rc::clone(&outbound),
            carrier: carrier.clone(),
        };
        let memory = Rc::new(SessionMemory::new(admission.budget().reservation()));
        let session = Session::new(
            Rc::clone(context),
            details,
            SessionSetup::new(behaviour, description, glued),
            io,
            Rc::clone(&memory),
            now,
        );
        let actor = Context::new().into_future(EchoSession::new(session));
        SessionTask::new(actor, outbound, carrier, context.stall_timeout, move |bytes| {
            memory.set_unwritten(bytes)
        })
    }
}
