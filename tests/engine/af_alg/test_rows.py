"""Every row of what was measured on Linux 6.12 (real-kernel, 3 and 4) has a test, or a reason.

The tests are those of `test_real_kernel.py`, next to this one.
"""

from __future__ import annotations

import ast
from pathlib import Path

_DEVICE = "a limit of the virtio device and its driver, which is not modelled"
_NO_RNG = "there are no random number generators here"
_NO_ALGORITHM = "nothing here implements the algorithm"

# Each row, by the table that it stands in, with the tests that hold it.
ROWS = {
    "bind: names, types, templates of the wrong type": ("bind",),
    "bind: a parenthesis too many, a trailing blank": ("bind",),
    "bind: feat and mask": ("bind_flags",),
    "bind, SET_KEY, SET_AEAD_AUTHSIZE with an op socket open": (
        "an_open_op_socket_makes_it_busy",
    ),
    "SET_KEY before bind, accept before bind": ("before_bind",),
    "SET_KEY or sendmsg on the wrong socket": ("calls_on_the_wrong_socket",),
    "SOCK_STREAM, SOCK_DGRAM, protocol 1": ("socket",),
    "setkey: ecb/cbc/ctr/cts(aes)": ("setkey_lengths",),
    "setkey: rfc3686(ctr(aes))": ("setkey_lengths",),
    "setkey: xts(aes), equal halves": ("setkey_lengths",),
    "setkey: des, des3_ede, weak keys": ("setkey_lengths",),
    "setkey: hmac, cmac, ghash": ("setkey_lengths",),
    "setkey: unkeyed hash": ("setkey_of_an_unkeyed_hash",),
    "setkey: gcm, ccm, rfc4106, rfc4543, rfc4309": ("setkey_lengths",),
    "setkey: authenc": ("setkey_of_authenc",),
    "setkey: a failed one after a good one": ("a_failed_setkey_leaves_no_key",),
    "setkey: no key at all": ("without_a_key",),
    "setkey: after accept": ("a_key_set_after_accept_works",),
    "authsize: by algorithm": ("authsize",),
    "authsize: on an skcipher": ("authsize_of_an_skcipher",),
    "authsize: never set": ("the_default_authsize_is_the_longest",),
    "skcipher: len 0": ("length",),
    "skcipher: cbc/ecb/des len not multiple of block": (
        "length",
        "a_bad_length_is_refused_at_recv_and_consumed",
    ),
    "skcipher: ctr, rfc3686, cts, xts lengths": ("length",),
    "skcipher: ivlen": ("ivlen_of_cbc", "ivlen_of_ecb"),
    "skcipher: no ALG_SET_IV": ("without_an_iv_it_is_zero_first_and_chains_afterwards",),
    "skcipher: no ALG_SET_OP": (
        "any_control_message_without_an_operation_decrypts",
        "a_send_without_control_messages_keeps_the_operation",
    ),
    "skcipher: ALG_SET_OP of another number": ("an_unknown_operation",),
    "skcipher: second send while a message is unread": (
        "a_second_send_before_the_first_was_received",
    ),
    "skcipher: parts equal one-shot": ("receiving_in_parts", "sending_in_parts"),
    "skcipher: recv smaller than a block": ("receiving_less_than_a_block",),
    "skcipher: recv of whole blocks only": ("receiving_whole_blocks_only",),
    "skcipher: recv buffer bigger than the output": ("a_buffer_bigger_than_the_output_waits",),
    "skcipher: recv before send": ("receiving_before_sending",),
    "skcipher: second plain send, cbc": ("a_send_without_control_messages_keeps_the_operation",),
    "skcipher: second plain send, ctr": ("the_counter_goes_on_behind_the_last_block_begun",),
    "skcipher: second plain send, rfc3686, xts": ("other_modes_start_again",),
    "skcipher: ctr counter": ("the_counter_wraps_over_128_bits",),
    "skcipher: send limits": ("send_limits",),
    "hash: recv without send": ("a_hash_without_any_data",),
    "hash: short buffer": ("a_short_buffer_cuts_the_digest",),
    "hash: second recv": ("a_short_buffer_cuts_the_digest",),
    "hash: second send restarts, recv finalises": ("a_second_send_restarts_and_recv_finalises",),
    "hash: accept clones the state": ("accept_clones_the_state",),
    "aead: bad tag, aad, ct": ("a_forgery_is_ebadmsg_and_the_socket_usable",),
    "aead: authenc does not authenticate the IV": ("authenc_does_not_authenticate_the_iv",),
    "aead: receive buffer on EBADMSG": ("the_receive_buffer_on_ebadmsg",),
    "aead: authenc pt not multiple of block": ("authenc_looks_at_the_mac_first",),
    "aead: empty pt": ("an_empty_text_is_a_tag_only",),
    "aead: decrypt input < authsize, assoclen > data": ("too_little_data",),
    "aead: output buffer one byte short": ("an_output_one_byte_short",),
    "aead: all data sent with MSG_MORE": ("an_unfinished_message_waits",),
    "aead: rfc4106 assoclen": ("assoclen_of_rfc4106",),
    "aead: ccm iv[0]": ("the_first_iv_byte_of_ccm",),
    "aead: wrong ivlen": ("ivlen_of_gcm",),
    "aead: second plain send": ("a_second_send_keeps_operation_iv_and_assoclen",),
    "aead: seqiv(rfc4106) assoclen 16": ("assoclen_of_seqiv",),
    "aead: echainiv repeats its IV": ("echainiv_repeats_its_iv",),
    "queues: skcipher AIO is synchronous": ("requests_of_an_skcipher_are_waited_for",),
    "queues: overflow is ENOSPC, a caller who waits never fails": (
        "a_full_queue_refuses_what_nobody_waits_for",
    ),
    "queues: out-of-order completion": ("forgeries_overtake_messages",),
    "queues: sockets closed with requests in flight": ("requests_outlive_their_sockets",),
}

# Rows that cannot be tested here, and why.
EXCUSED = {
    "setkey: crc32c, blake2b, chachapoly": _NO_ALGORITHM,
    "authsize: chachapoly": _NO_ALGORITHM,
    "rng: all rows": _NO_RNG,
    "queues: session limit": _DEVICE,
    "queues: a request that is too long hangs": _DEVICE,
    "queues: unbind with an open transform": "a crash of the kernel, where the registry warns",
}


def _tests() -> set[str]:
    tree = ast.parse(Path(__file__).with_name("test_real_kernel.py").read_text(encoding="utf-8"))
    return {
        node.name.removeprefix("test_")
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_row_has_a_test_or_a_reason() -> None:
    assert all(ROWS.values())
    assert all(EXCUSED.values())
    assert not ROWS.keys() & EXCUSED.keys()


def test_every_test_that_is_named_is_there_and_every_test_belongs_to_a_row() -> None:
    assert {test for tests in ROWS.values() for test in tests} == _tests()
