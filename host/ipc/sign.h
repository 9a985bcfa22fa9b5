// sign.h — what host and frond-signer say to each other over a socketpair: the kinds of their frames (frame.h). Data only.
//
// The host asks with fields; the signer encodes, judges and signs them itself. There is no request that carries a hash. What stands in the
// payloads of SIGN_TX, SIGN_PERMIT and SIGN_SIWE is chain/sign_wire's, which both sides link. Every request has an id, never 0, and
// is answered once, in the order asked. Several requests may come in one write; their answers leave in one write too.
#pragma once
enum sign_frame {
    // host -> signer
    SIGN_LIST = 32,      // id; no payload                                             -> SIGN_KEYS
    SIGN_TX,             // id; a transaction's fields                                 -> SIGN_DONE
    SIGN_PERMIT,         // id; an ERC-2612 permit's fields                            -> SIGN_DONE
    SIGN_SIWE,           // id; an ERC-4361 message's fields                           -> SIGN_DONE
    // signer -> host
    SIGN_READY = 96,     // once, after the lockdown. FRAME_OK: JSON {"addresses":["0x.."],"chain_id":"1","memory":"all"|"keys"}; FRAME_REFUSED: {"code","detail"}, then it ends
    SIGN_KEYS,           // id; 20 bytes for each address
    SIGN_DONE,           // id, status; FRAME_OK: the 65 bytes of a signature (r, s, v); FRAME_REFUSED: sections: stable code, sentence
};
#define SIGN_ASK_FIRST SIGN_LIST
#define SIGN_ASK_LAST SIGN_SIWE
#define SIGN_ANSWER_FIRST SIGN_READY
#define SIGN_ANSWER_LAST SIGN_DONE

// How the signer ends when it ends itself.
enum signer_exit {
    SIGNER_EXIT_DONE = 0,              // the host closed the channel
    SIGNER_EXIT_FRAMES = 1,            // the host's bytes were no frames, or half of one
    SIGNER_EXIT_LOCKDOWN = 2,          // a step of the lockdown failed, or no memory could be locked
    SIGNER_EXIT_LOCKED = 3,            // policy, counters, keystore or passphrase: its READY said why
    SIGNER_EXIT_MEMORY = 4,
};
// Its descriptors. Keystores follow from SIGNER_KEYSTORE_FD on, as many as its first argument says.
#define SIGNER_CHANNEL_FD 3            // the socketpair
#define SIGNER_TALLY_FD 4              // the day's counters: a file, read and written, locked (flock) as long as the signer lives
#define SIGNER_POLICY_FD 5             // closed before the lockdown, as are all that follow
#define SIGNER_PASSPHRASE_FD 6         // a file or a pipe; one line, or all there is
#define SIGNER_KEYSTORE_FD 7
