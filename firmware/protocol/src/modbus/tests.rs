use std::vec::Vec;

use proptest::prelude::*;

use super::master::{BadReply, BadRequest, Reply, Request};
use super::server::{Ask, Asked, IDLE_MS, Receiver};
use super::*;

fn unit(address: u8) -> Unit {
    Unit::new(address).unwrap()
}

fn with_crc(message: &[u8]) -> Vec<u8> {
    let mut frame = message.to_vec();
    frame.extend_from_slice(&crc16(message).to_le_bytes());
    frame
}

/// Every request that a receiver for `address` finds in `bytes`, the line being silent afterwards.
fn requests(address: u8, bytes: &[u8]) -> Vec<Asked> {
    let mut receiver = Receiver::new(unit(address));
    let mut found = Vec::new();
    for byte in bytes {
        receiver.push(0, *byte);
        found.extend(core::iter::from_fn(|| receiver.next(0)));
    }
    found.extend(core::iter::from_fn(|| receiver.next(IDLE_MS)));
    found
}

#[test]
fn the_crc_is_the_one_of_the_standard() {
    // Serial Line V1.02, section 6.2.2: 02 07 gives 0x1241. The other is the catalogue's check value.
    assert_eq!(crc16(&[0x02, 0x07]), 0x1241);
    assert_eq!(crc16(b"123456789"), 0x4B37);
}

/// Request and answer of each function: PDUs from Application Protocol V1.1b3 sections 6.3 to 6.17; the CRCs of
/// unit 17 are those of published tutorials, so they are not made by the code under test.
const EXAMPLES: [(&[u8], &[u8]); 5] = [
    (
        &[0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87],
        &[0x11, 0x03, 0x06, 0xAE, 0x41, 0x56, 0x52, 0x43, 0x40, 0x49, 0xAD],
    ),
    (&[0x11, 0x04, 0x00, 0x08, 0x00, 0x01, 0xB2, 0x98], &[0x11, 0x04, 0x02, 0x00, 0x0A, 0xF8, 0xF4]),
    (&[0x11, 0x05, 0x00, 0xAC, 0xFF, 0x00, 0x4E, 0x8B], &[0x11, 0x05, 0x00, 0xAC, 0xFF, 0x00, 0x4E, 0x8B]),
    (&[0x11, 0x06, 0x00, 0x01, 0x00, 0x03, 0x9A, 0x9B], &[0x11, 0x06, 0x00, 0x01, 0x00, 0x03, 0x9A, 0x9B]),
    (
        &[0x11, 0x10, 0x00, 0x01, 0x00, 0x02, 0x04, 0x00, 0x0A, 0x01, 0x02, 0xC6, 0xF0],
        &[0x11, 0x10, 0x00, 0x01, 0x00, 0x02, 0x12, 0x98],
    ),
];

fn example_requests() -> [Request; 5] {
    [
        Request::read_holding(unit(17), 0x6B, 3).unwrap(),
        Request::read_input(unit(17), 8, 1).unwrap(),
        Request::set_coil(unit(17), 0xAC),
        Request::write_register(unit(17), 1, 3),
        Request::write_registers(unit(17), 1, &[10, 0x0102]).unwrap(),
    ]
}

#[test]
fn published_requests_are_made_byte_for_byte() {
    for (request, (expected, _)) in example_requests().iter().zip(EXAMPLES) {
        assert_eq!(request.as_bytes(), expected);
    }
}

#[test]
fn published_answers_are_accepted_only_when_whole() {
    for (request, (_, answer)) in example_requests().iter().zip(EXAMPLES) {
        for len in 0..answer.len() {
            assert_eq!(request.match_reply(&answer[..len]), Ok(None), "{len} bytes of {answer:02x?}");
        }
        assert!(matches!(request.match_reply(answer), Ok(Some(Reply::Registers(_) | Reply::Written))));
    }
}

#[test]
fn the_server_answers_the_published_requests_with_the_published_answers() {
    let registers: [&[u16]; 2] = [&[0xAE41, 0x5652, 0x4340], &[10]];
    for (index, (request, answer)) in EXAMPLES.iter().enumerate() {
        let found = requests(17, request);
        assert_eq!(found.len(), 1, "{request:02x?}");
        let frame = match found[0].ask().unwrap() {
            Ask::Read { .. } | Ask::ReadWrite { .. } => found[0].answer_registers(registers[index]),
            Ask::Write { .. } | Ask::WriteCoil { .. } => found[0].answer_written(),
        };
        assert_eq!(frame.as_bytes(), *answer);
    }
}

#[test]
fn function_23_has_the_layout_of_the_standard() {
    // Application Protocol V1.1b3, section 6.17.
    let request = Request::read_write(unit(1), 3, 6, 14, &[0xFF, 0xFF, 0xFF]).unwrap();
    let pdu =
        [0x17, 0x00, 0x03, 0x00, 0x06, 0x00, 0x0E, 0x00, 0x03, 0x06, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF];
    assert_eq!(request.as_bytes()[1..17], pdu);

    let answer = [0x17, 0x0C, 0x00, 0xFE, 0x0A, 0xCD, 0x00, 0x01, 0x00, 0x03, 0x00, 0x0D, 0x00, 0xFF];
    let answer = with_crc(&[&[1], &answer[..]].concat());
    let Ok(Some(Reply::Registers(words))) = request.match_reply(&answer) else { panic!("not accepted") };
    assert_eq!(words.iter().collect::<Vec<_>>(), [0xFE, 0x0ACD, 1, 3, 0x0D, 0xFF]);
    assert_eq!((words.get(5), words.get(6)), (Some(0xFF), None));
}

#[test]
fn a_refusal_is_kept_apart_from_a_wrong_answer() {
    let request = Request::read_holding(unit(9), 0, 4).unwrap();
    for (code, exception) in
        [(2, Exception::IllegalAddress), (6, Exception::DeviceBusy), (11, Exception::Other(11))]
    {
        let answer = with_crc(&[9, 0x83, code]);
        assert_eq!(request.match_reply(&answer), Ok(Some(Reply::Refused(exception))));
    }
    let for_another_function = with_crc(&[9, 0x84, 2]);
    assert_eq!(request.match_reply(&for_another_function), Err(BadReply::Function { got: 0x84 }));
}

#[test]
fn an_answer_to_something_else_is_never_taken() {
    let read = Request::read_holding(unit(9), 0, 2).unwrap();
    let write = Request::write_registers(unit(9), 4, &[1, 2]).unwrap();
    let judged = [
        (read, with_crc(&[8, 3, 4, 0, 1, 0, 2]), BadReply::Unit { got: 8 }),
        (read, with_crc(&[9, 4, 4, 0, 1, 0, 2]), BadReply::Function { got: 4 }),
        (read, with_crc(&[9, 3, 2, 0, 1]), BadReply::ByteCount { got: 2, expected: 4 }),
        (read, vec_of(&[9, 3, 4, 0, 1, 0, 2, 0xAA, 0xAA]), BadReply::Crc),
        (read, [with_crc(&[9, 3, 4, 0, 1, 0, 2]), vec_of(&[9])].concat(), BadReply::Trailing { bytes: 1 }),
        (write, with_crc(&[9, 16, 0, 4, 0, 1]), BadReply::Echo),
        (write, with_crc(&[9, 16, 0, 5, 0, 2]), BadReply::Echo),
    ];
    for (request, bytes, reason) in judged {
        assert_eq!(request.match_reply(&bytes), Err(reason), "{bytes:02x?}");
    }
}

fn vec_of(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

#[test]
fn requests_beyond_the_protocol_cannot_be_made() {
    let counts = [
        (Request::read_holding(unit(1), 0, 0).err(), 0, READ_COUNT_MAX),
        (Request::read_input(unit(1), 0, 126).err(), 126, READ_COUNT_MAX),
        (Request::write_registers(unit(1), 0, &[0; 124]).err(), 124, WRITE_COUNT_MAX),
        (Request::read_write(unit(1), 0, 1, 0, &[0; 122]).err(), 122, READ_WRITE_COUNT_MAX),
    ];
    for (error, count, max) in counts {
        assert_eq!(error, Some(BadRequest::Count { count, max }));
    }
    let past_the_end = Request::read_holding(unit(1), 0xFFFF, 2).err();
    assert_eq!(past_the_end, Some(BadRequest::Address { address: 0xFFFF, count: 2 }));
    assert!(Request::read_holding(unit(1), 0xFFFF, 1).is_ok());
    assert_eq!((Unit::new(0), Unit::new(255)), (None, None));
}

#[test]
fn the_longest_requests_fit_into_a_frame_and_arrive() {
    let longest = [
        Request::write_registers(unit(1), 0, &[7; WRITE_COUNT_MAX as usize]).unwrap(),
        Request::read_write(unit(1), 0, READ_COUNT_MAX, 0, &[7; READ_WRITE_COUNT_MAX as usize]).unwrap(),
    ];
    for request in longest {
        let found = requests(1, request.as_bytes());
        assert_eq!(found.len(), 1);
        assert!(found[0].ask().is_ok());
    }
}

#[test]
fn the_server_refuses_what_makes_no_sense_and_stays_silent_on_a_wrong_crc() {
    let refused = [
        (with_crc(&[1, 3, 0, 0, 0, 126]), Exception::IllegalValue),
        (with_crc(&[1, 5, 0, 0, 0x12, 0x34]), Exception::IllegalValue),
        (with_crc(&[1, 16, 0, 0, 0, 2, 2, 0, 1]), Exception::IllegalValue),
        (with_crc(&[1, 0x2B, 0x0E, 1, 0]), Exception::IllegalFunction),
        (with_crc(&[1, 1, 0, 0, 0, 1]), Exception::IllegalFunction),
    ];
    for (bytes, exception) in refused {
        let found = requests(1, &bytes);
        assert_eq!(found.len(), 1, "{bytes:02x?}");
        assert_eq!(found[0].ask(), Err(exception));
        assert_eq!(found[0].answer_exception(exception).as_bytes()[1], bytes[1] | 0x80);

        let mut damaged = bytes;
        *damaged.last_mut().unwrap() ^= 1;
        assert!(requests(1, &damaged).is_empty(), "answered {damaged:02x?}");
    }
}

#[test]
fn broadcasts_are_not_obeyed() {
    assert!(requests(1, &with_crc(&[0, 6, 0, 1, 0, 3])).is_empty());
}

#[test]
fn a_board_that_answers_with_the_wrong_count_reports_a_failure() {
    let asked = requests(1, &with_crc(&[1, 3, 0, 0, 0, 2]))[0];
    let answer = asked.answer_registers(&[1, 2, 3]);
    assert_eq!(answer.as_bytes()[..3], [1, 0x83, 4]);
}

#[test]
fn an_unfinished_request_does_not_swallow_the_next_one() {
    let request = Request::read_holding(unit(1), 0, 2).unwrap();
    let mut receiver = Receiver::new(unit(1));
    for byte in [1, 16, 0, 0, 0, 100, 200, 1, 2] {
        receiver.push(0, byte);
        assert!(receiver.next(0).is_none());
    }

    for byte in request.as_bytes() {
        receiver.push(IDLE_MS, *byte);
    }

    assert!(receiver.next(IDLE_MS).is_some());
}

fn pdu() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic_the_master(mut bytes in pdu(), count in 1_u16..=125, head in any::<bool>()) {
        let request = Request::read_holding(unit(1), 0, count).unwrap();
        if head && bytes.len() > 2 {
            bytes[..2].copy_from_slice(&[1, 3]);
        }
        if let Ok(Some(Reply::Registers(words))) = request.match_reply(&bytes) {
            prop_assert_eq!(words.len(), usize::from(count));
        }
    }

    #[test]
    fn hostile_bytes_never_panic_the_server(bytes in pdu(), functions in prop::collection::vec(any::<u8>(), 1..8)) {
        let damaged: Vec<u8> = functions.iter().flat_map(|function| [&[1, *function], &bytes[..]].concat()).collect();
        for asked in requests(1, &damaged) {
            let _ = asked.ask();
            prop_assert!(asked.answer_registers(&[1]).as_bytes().len() >= 5);
            prop_assert!(asked.answer_written().as_bytes().len() >= 4);
        }
    }

    #[test]
    fn a_flipped_bit_is_never_taken_for_an_answer(values in prop::collection::vec(any::<u16>(), 1..20), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let count = u16::try_from(values.len()).unwrap();
        let request = Request::read_holding(unit(3), 0, count).unwrap();
        let asked = requests(3, request.as_bytes())[0];
        let mut answer = asked.answer_registers(&values).as_bytes().to_vec();
        prop_assert!(matches!(request.match_reply(&answer), Ok(Some(Reply::Registers(words))) if words.iter().eq(values)));

        let at = at.index(answer.len());
        answer[at] ^= 1_u8 << bit;

        prop_assert!(!matches!(request.match_reply(&answer), Ok(Some(_))));
    }

    #[test]
    fn a_request_inside_the_data_of_others_is_not_obeyed_and_ours_behind_it_is_found(
        other in 2_u8..=247, is_answer in any::<bool>(), value in any::<u16>(), noise in any::<u8>(),
    ) {
        let mut planted = with_crc(&[1, 6, 0, 0x28, 0, 1]);
        planted.extend([noise, noise]);
        let data = if is_answer { vec_of(&[other, 3, 10]) } else { vec_of(&[other, 16, 0, 0, 0, 5, 10]) };
        let others = with_crc(&[data, planted].concat());
        let ours = Request::write_register(unit(1), 7, value).as_bytes().to_vec();

        let found = requests(1, &[others, ours].concat());

        prop_assert_eq!(found.len(), 1);
        let Ok(Ask::Write { address, values }) = found[0].ask() else { panic!("not a write") };
        prop_assert_eq!((address, values.get(0)), (7, Some(value)));
    }
}
