// SPDX-License-Identifier: Apache-2.0
/* Whether a start of the server was right. */
#include "driver/local/frame.h"
#include "driver/local/segment.h"
#include "sim/local_internal.h"
#include "sim/memory.h"
#include "wire/jute.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A walk over the frames of one segment as they stand on the disk. */
struct walk {
    struct fk_bytes file;
    int64_t first;
    uint32_t seed;
    size_t at;
};

static bool begin_walk(struct sim_local *lab, const char *name, struct walk *walk)
{
    enum {
        AT_SEED = 12,
    };
    walk->file = fk_memory_disk_look(sim_disk_memory(lab->disk), name);
    walk->first = (int64_t)strtoull(name + 4, NULL, 16);
    walk->at = FK_SEGMENT_HEADER_SIZE;
    if (walk->file.size < FK_SEGMENT_HEADER_SIZE) {
        return false;
    }
    walk->seed = fk_load_u32(walk->file.data + AT_SEED);
    return true;
}

static bool next_frame(struct walk *walk, struct fk_frame *frame)
{
    size_t left = walk->file.size - walk->at;
    const uint8_t *header = walk->file.data + walk->at;
    if (left < FK_FRAME_HEADER_SIZE || !fk_frame_parse(header, frame) ||
        frame->position != walk->first + (int64_t)walk->at || frame->payload_size > left - FK_FRAME_HEADER_SIZE ||
        !fk_frame_check(header, frame, walk->seed)) {
        return false;
    }
    walk->at += FK_FRAME_HEADER_SIZE + frame->payload_size;
    return true;
}

/* The first frame that a damage hits; -1: none. */
static int64_t hit_position(struct sim_local *lab, const struct sim_damage *damage)
{
    struct walk walk;
    struct fk_frame frame;
    if (!begin_walk(lab, damage->path, &walk)) {
        return -1;
    }
    while (next_frame(&walk, &frame)) {
        if ((int64_t)walk.at > damage->offset) {
            return frame.position < walk.first + damage->offset + (int64_t)damage->size ? frame.position : -1;
        }
    }
    return -1;
}

/* Whether a frame behind the damage says that the log was durable beyond `position`. */
static bool is_vouched(struct sim_local *lab, int64_t position, int64_t behind)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_files *files = fk_memory_files_new(sim_disk_memory(lab->disk));
    int64_t *firsts = NULL;
    size_t count = 0;
    bool vouched = false;
    enum fk_err err = fk_segment_list(files, &arena, &firsts, &count, NULL);
    for (size_t i = 0; err == FK_OK && i < count; i++) {
        char name[FK_SEGMENT_NAME_SIZE];
        struct walk walk;
        struct fk_frame frame;
        fk_segment_name(firsts[i], name);
        if (!begin_walk(lab, name, &walk)) {
            continue;
        }
        while (next_frame(&walk, &frame)) {
            vouched = vouched || (frame.position >= behind && frame.durable > position);
        }
    }
    files->ops->free(files);
    fk_arena_deinit(&arena);
    return vouched;
}

void sim_local_excuse(void *context, const struct sim_damage *damage)
{
    struct sim_local *lab = (struct sim_local *)context;
    if (strncmp(damage->path, "log.", 4) != 0) {
        return;
    }
    int64_t position = hit_position(lab, damage);
    if (position < 0) {
        return;
    }
    int64_t first = (int64_t)strtoull(damage->path + 4, NULL, 16);
    if (!is_vouched(lab, position, first + damage->offset + (int64_t)damage->size)) {
        lab->excused = true;
        lab->kept_zxid = 0;
    }
}

void sim_local_judge_refusal(struct sim_local *lab, enum fk_err err, const struct fk_diag *diag)
{
    bool damaged = lab->rotten || lab->damage.path[0] != '\0' || sim_disk_flipped(lab->disk)->path[0] != '\0';
    lab->result->refusals++;
    lab->refused = err == FK_ERR_DAMAGED;
    if (err == FK_ERR_DAMAGED && !damaged) {
        sim_violation(lab->world, "C6", "a healthy disk was refused: %s", diag->text);
    } else if (err == FK_ERR_NOMEM && sim_memory_refused()) {
        sim_trace(lab->world, "the start found no memory");
    } else if (err != FK_ERR_DAMAGED && !damaged && !sim_disk_erred(lab->disk)) {
        sim_violation(lab->world, "C6", "the server does not start, and nothing was wrong: %s (%s)", diag->text,
                      fk_err_text(err));
    } else if (err == FK_ERR_DAMAGED && strstr(diag->text, "log") == NULL && strstr(diag->text, "checkpoint") == NULL) {
        sim_violation(lab->world, "C6", "the refusal of a damaged disk does not say which file: %s", diag->text);
    }
}

void sim_local_judge_start(struct sim_local *lab, struct fk_store *store)
{
    int64_t zxid = fk_store_zxid(store, FK_VIEW_VISIBLE);
    int64_t newest = sim_ledger_zxid(lab->ledger);
    lab->started = true;
    sim_trace(lab->world, "recovered to %" PRId64 " of %" PRId64 ", told %" PRId64, zxid, newest, lab->told_zxid);
    if (zxid > newest) {
        sim_violation(lab->world, "C6", "recovered to zxid %" PRId64 ", but %" PRId64 " was the last one", zxid,
                      newest);
        return;
    }
    if (zxid < lab->kept_zxid) {
        sim_violation(lab->world, "C6", "recovered to zxid %" PRId64 ", but %" PRId64 " had been answered or shown",
                      zxid, lab->told_zxid);
        return;
    }
    sim_ledger_cut(lab->ledger, zxid);
    lab->told_zxid = zxid;
    sim_ledger_compare(lab->ledger, store, "after the start");
}
