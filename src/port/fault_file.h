// SPDX-License-Identifier: Apache-2.0
/* A decorator of the file port that lets the nth call of a kind fail, for tests and simulators. A failed call has not
 * reached the file system below, except that a failed write has done the first half of its bytes. */
#ifndef FK_PORT_FAULT_FILE_H
#define FK_PORT_FAULT_FILE_H

#include "port/file.h"

#include <stdatomic.h>

enum fk_fault_call {
    FK_FAULT_OPEN,
    FK_FAULT_READ,
    FK_FAULT_WRITE,
    FK_FAULT_SYNC,
    FK_FAULT_ALLOCATE,
    FK_FAULT_TRUNCATE,
    FK_FAULT_LOCK,
    FK_FAULT_RENAME,
    FK_FAULT_REMOVE,
    FK_FAULT_LIST,
    FK_FAULT_SYNC_DIRECTORY,
    FK_FAULT_CALLS, /* how many kinds there are; as a kind: any call that changes something */
};

/* What fails. The test owns it, and may change nth at any time, the rest while nobody calls; it outlives the files. */
struct fk_fault_plan {
    enum fk_fault_call call;
    _Atomic uint64_t nth;  /* 1 = the next one; 0 = none */
    bool all_after;        /* and every later one of this kind */
    enum fk_err err;       /* FK_ERR_FULL, FK_ERR_IO, ... */
    _Atomic uint64_t seen; /* calls of this kind so far */
    _Atomic uint64_t failed;
};

/* Sets a plan anew. */
void fk_fault_plan_set(struct fk_fault_plan *plan, enum fk_fault_call call, uint64_t nth, bool all_after,
                       enum fk_err err);

/* Takes `inner`, which is freed with the result. NULL without memory. */
struct fk_files *fk_fault_files_new(struct fk_files *inner, struct fk_fault_plan *plan);

#endif
