// SPDX-License-Identifier: Apache-2.0
/* The frames of tests/golden, as its README describes them. FK_GOLDEN in the environment names the file. */
#ifndef FK_TESTS_UNIT_WIRE_GOLDEN_H
#define FK_TESTS_UNIT_WIRE_GOLDEN_H

#include "wire/transcode.h"

struct golden_frame {
    char name[64]; /* client.label.kind */
    enum frame_kind kind;
    int32_t op;            /* of the request, of the request that a reply answers; 0 for connects and events */
    struct fk_buf storage; /* the frame with its length */
    struct fk_bytes body;  /* the frame without it */
};

struct golden {
    struct golden_frame *frames;
    size_t count;
};

/* Loads all frames and checks their lengths; fails the test where the file is not as it should be. */
void golden_load(struct golden *golden);
void golden_free(struct golden *golden);
/* The frame with this name; fails the test where there is none. */
const struct golden_frame *golden_find(const struct golden *golden, const char *name);

#endif
