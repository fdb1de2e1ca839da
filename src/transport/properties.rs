//! Property tests of the end of a connection, for any input before it.

use std::{
    task::{Context, Poll, Waker},
    time::Instant,
};

use actix_web::{dev::Payload, error::PayloadError};
use bytes::Bytes;
use futures_util::stream;
use proptest::{collection::vec, prelude::*, sample::Index};

use super::{BodyPipe, ByteSource, Carrier, Inbound, InputEnd};
use crate::protocol::{Client, Encoder, EncoderOptions, Limits, MaskingKeys, NoObserver, Server};

fn client_encoder() -> Encoder<Client, NoObserver> {
    let keys = MaskingKeys::new(|| [7, 77, 177, 250]);
    Encoder::new(EncoderOptions::default(), keys, NoObserver)
}

/// Returns the bytes of a client's frames. Each is a Pong or a binary message with this payload.
fn frames(payloads: &[(bool, Vec<u8>)]) -> Vec<u8> {
    let (mut encoder, mut out) = (client_encoder(), Vec::new());
    for (is_pong, payload) in payloads {
        if *is_pong {
            encoder.pong(&payload[..payload.len().min(125)], &mut out);
        } else {
            encoder.message(
                crate::protocol::DataKind::Binary,
                &[payload],
                &mut Vec::new(),
                &mut out,
            );
        }
    }
    out
}

/// Splits `bytes` at `cuts`: the parts that single reads return.
fn split(bytes: &[u8], cuts: &[Index]) -> Vec<Bytes> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|cut| Bytes::copy_from_slice(&bytes[cut[0]..cut[1]]))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn discarding_ends_with_the_peers_close_frame_wherever_the_messages_ended(
        before in vec((any::<bool>(), vec(any::<u8>(), 0..70_000)), 0..3),
        after in vec((any::<bool>(), vec(any::<u8>(), 0..300)), 0..3),
        cuts in vec(any::<Index>(), 0..30),
        left in any::<Index>(),
        invalid in 0..3u8,
        reason in "[a-z]{0,100}",
    ) {
        let mut bytes = frames(&before);
        bytes.extend_from_slice(match invalid {
            0 => b"\x83\x82\0\0\0\0ab".as_slice(),
            1 => b"\x81\x82\0\0\0\0\xFFa",
            // No violation: the drain ends the messages at `left`.
            _ => b"",
        });
        bytes.extend(frames(&after));
        let mut input = bytes.clone();
        client_encoder().close(Some((1000, &reason)), &mut input);
        let (before_drain, after_drain) = if invalid == 2 {
            input.split_at(left.index(bytes.len() + 1))
        } else {
            (&input[..], &[][..])
        };
        // The source is pending once, which ends the drain, and always after the last byte: only the Close frame can end the
        // discarding.
        let after_drain = split(after_drain, &cuts);
        let mut queue = split(before_drain, &cuts)
            .into_iter()
            .map(Some)
            .chain([None])
            .chain(after_drain.into_iter().map(Some));
        let source = stream::poll_fn(move |_| match queue.next() {
            Some(Some(bytes)) => Poll::Ready(Some(Ok::<_, PayloadError>(bytes))),
            Some(None) | None => Poll::Pending,
        });
        let payload: Payload = Payload::Stream { payload: Box::pin(source) };
        let limits = Limits { message_size: usize::MAX, fragments: usize::MAX };
        let source = ByteSource::new(payload, Carrier::Body(BodyPipe::new().0), None);
        let mut inbound = Inbound::<Server, _>::new(source, limits, None, NoObserver, Instant::now());
        let mut cx = Context::from_waker(Waker::noop());
        inbound.drain();
        let mut buffer = inbound.lend();
        let end = loop {
            match inbound.poll_next(&mut cx, &mut buffer) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(end)) => break end,
                Poll::Pending => unreachable!("a pending read ends a drain"),
            }
        };
        let discard = match end {
            InputEnd::Violation(_, discard) if invalid < 2 => discard,
            InputEnd::Drained(discard) if invalid == 2 => discard,
            end => return Err(TestCaseError::fail(format!("{end:?}"))),
        };
        let mut discard = std::pin::pin!(discard);
        // If a violation has ended the messages, the first poll meets the one pending read.
        let ended = (0..2).any(|_| discard.as_mut().poll(&mut cx).is_ready());
        prop_assert!(ended);
    }
}
