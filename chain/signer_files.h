// signer_files.h — the descriptors that signer_local_start wants, from paths: what an operator's configuration names.
//
// Opens and looks at owners and rights; reads nothing. Blocks for as long as the disk does: before the loop serves. The caller closes (files_close) when the
// signer has started; nothing is kept here. A passphrase that was typed goes through a pipe and is never in a file.
#pragma once
#include "chain/signer_local.h"

struct signer_paths {
    const char *policy;                  // others may read it, but only its owner and root may write it
    const char *tally;                   // made with 0600 when it is not there
    const char *passphrase;              // a file that only its owner may read; NULL: typed, see signer_files_open
    const char *keystores[SIGNER_KEYS_MAX]; int key_count;
};
// Fills the descriptors and key_count of *o; the rest of it is left alone. typed: the passphrase where paths->passphrase is NULL, at most 4096 bytes; it is the caller's to
// wipe. FR_E_NOT_FOUND, FR_E_IO "signer_file"; FR_E_DENIED "file_open_to_others", naming file and right. On failure nothing is left open.
FR_MUST_USE enum fr_status signer_files_open(const struct signer_paths *paths, const void *typed, size_t typed_len, struct signer_local_options *o, struct fr_err *err);
void signer_files_close(struct signer_local_options *o);         // also after a failed start; twice does no harm
