// sign_wire.h — an ask to sign as bytes between host and frond-signer (ipc/sign.h), flat and of fixed order. Pure; both sides link it.
//
// Numbers are big-endian. A transaction: from 20, kind 1 (0 legacy, 1 EIP-1559), chain id 8, nonce 8, gas limit 8, max fee 32, max tip 32, to 20, value 32,
// then the calldata. There is no form for a contract creation. A permit: from 20, chain id 8, token 20, spender 20, value 32, nonce 32,
// deadline 8. A sign-in message: from 20, chain id 8, issued 8, expires 8, then five times a length of 2 bytes and so many characters:
// domain, statement, uri, nonce, resource (an empty statement or resource is none).
#pragma once
#include "base/buf.h"
#include "chain/signer.h"

#define SIGN_TX_HEAD_BYTES 161
#define SIGN_PERMIT_BYTES 140
#define SIGN_TEXTS_BYTES_MAX (SIWE_BYTES_MAX + 5)
struct sign_texts { char bytes[SIGN_TEXTS_BYTES_MAX]; };       // what a decoded message's texts point into

// Appends the ask. FR_E_INVALID: a creation, or a legacy transaction with a tip; FR_E_LIMIT: calldata over SIGN_DATA_BYTES_MAX, texts over SIWE_BYTES_MAX.
FR_MUST_USE enum fr_status sign_wire_put(const struct sign_ask *ask, struct fr_buf *out, struct fr_err *err);
// Back; ret->tx.data points into bytes, ret->siwe's texts into texts. FR_E_INVALID: bytes that sign_wire_put never makes.
FR_MUST_USE enum fr_status sign_wire_get(enum sign_kind kind, const void *bytes, size_t len, struct sign_texts *texts, struct sign_ask *ret, struct fr_err *err);
