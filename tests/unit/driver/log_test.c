// SPDX-License-Identifier: Apache-2.0
/* The log's steps over a disk in memory: what is written comes back, what was cut does not, and after any loss of power
 * or any changed byte the log gives a prefix of what was pushed, with all of what was synced, or names the damage. */
#include "driver/local/log.h"

#include "base/alloc.h"
#include "driver/memory/file.h"
#include "port/fault_file.h"
#include "support/test.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    SEGMENT_SIZE = 4096,
    FRAMES_MAX = 4000,
    PAYLOAD_MAX = 200,
};

/* A log, its disk, and what was pushed: payload i starts with i. */
struct bench {
    struct fk_memory_disk *disk;
    struct fk_fault_plan plan;
    struct fk_files *files;
    struct fk_log log;
    struct fk_prng prng;
    uint32_t pushed;                  /* frames with a payload */
    uint32_t synced;                  /* of them */
    int64_t ends[FRAMES_MAX];         /* positions */
    uint32_t generations[FRAMES_MAX]; /* frames that replaced cut ones differ */
    uint32_t generation;
    uint32_t seed;
};

static void open_files(struct bench *bench)
{
    struct fk_files *files = fk_memory_files_new(bench->disk);
    assert_non_null(files);
    bench->files = fk_fault_files_new(files, &bench->plan);
    assert_non_null(bench->files);
}

static struct bench *bench_new(void)
{
    struct bench *bench = (struct bench *)fk_alloc_zero(sizeof *bench);
    struct fk_diag diag = {.text = ""};
    assert_non_null(bench);
    bench->prng = fk_test_prng();
    bench->disk = fk_memory_disk_new();
    open_files(bench);
    assert_int_equal(fk_log_begin(&bench->log, bench->files, 0, SEGMENT_SIZE, 99, &diag), FK_OK);
    return bench;
}

static void close_log(struct bench *bench)
{
    fk_log_deinit(&bench->log);
    bench->log = (struct fk_log){.files = NULL};
    bench->files->ops->free(bench->files);
    bench->files = NULL;
}

static void bench_free(struct bench *bench)
{
    if (bench->files != NULL) {
        close_log(bench);
    }
    fk_memory_disk_free(bench->disk);
    fk_free(bench);
}

static struct fk_bytes payload_of(const struct bench *bench, uint32_t index, uint8_t bytes[PAYLOAD_MAX])
{
    struct fk_prng prng = {.state = index * UINT64_C(1000003) + bench->generations[index]};
    size_t size = 8 + (size_t)fk_prng_below(&prng, PAYLOAD_MAX - 8);
    fk_prng_fill(&prng, bytes, size);
    memcpy(bytes, &index, sizeof index);
    return fk_bytes_of(bytes, size);
}

static enum fk_err prepare(struct bench *bench)
{
    int64_t first = 0;
    struct fk_segment segment;
    if (!fk_log_prepare_first(&bench->log, true, &first)) {
        return FK_OK;
    }
    enum fk_err err = fk_segment_create(bench->files, first, SEGMENT_SIZE, ++bench->seed, true, &segment, NULL);
    if (err == FK_OK) {
        fk_log_offer(&bench->log, segment);
    }
    return err;
}

static void push(struct bench *bench)
{
    uint8_t bytes[PAYLOAD_MAX];
    assert_true(bench->pushed < FRAMES_MAX);
    bench->generations[bench->pushed] = bench->generation;
    struct fk_bytes payload = payload_of(bench, bench->pushed, bytes);
    if (!fk_log_room(&bench->log, payload.size)) {
        assert_int_equal(prepare(bench), FK_OK);
    }
    assert_true(fk_log_room(&bench->log, payload.size));
    bench->ends[bench->pushed++] = fk_log_push(&bench->log, payload);
}

static void write_and_sync(struct bench *bench)
{
    assert_true(fk_log_take(&bench->log));
    assert_int_equal(fk_log_write(&bench->log, NULL), FK_OK);
    assert_int_equal(fk_log_sync(&bench->log, NULL), FK_OK);
    bench->synced = bench->pushed;
}

static void push_synced(struct bench *bench, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        push(bench);
        write_and_sync(bench);
    }
}

/* An empty frame, as the log thread writes it when it is idle. */
static void close_window(struct bench *bench)
{
    if (fk_log_can_close(&bench->log)) {
        (void)fk_log_close(&bench->log);
        write_and_sync(bench);
    }
}

/* Reads the log and compares it with what was pushed; gives the number of payloads and the verdict on what follows. The
 * reader stays open. */
static enum fk_err read_log(struct bench *bench, struct fk_log_reader *reader, uint32_t *count,
                            struct fk_log_tail *tail, struct fk_diag *diag)
{
    *count = 0;
    enum fk_err err = fk_log_reader_open(reader, bench->files, FK_OPEN_WRITE, 0, 0, diag);
    if (err != FK_OK) {
        return err;
    }
    while (err == FK_OK) {
        struct fk_frame frame;
        struct fk_bytes payload;
        err = fk_log_reader_next(reader, &frame, &payload, diag);
        if (err == FK_OK && payload.size > 0) {
            uint8_t bytes[PAYLOAD_MAX];
            assert_true(*count < bench->pushed);
            fk_assert_bytes(payload, payload_of(bench, *count, bytes));
            assert_int_equal(fk_frame_end(&frame), bench->ends[*count]);
            (*count)++;
        }
    }
    if (err == FK_ERR_NOT_FOUND) {
        err = fk_log_reader_judge(reader, tail, diag);
    }
    if (err != FK_OK) {
        assert_int_equal(err, FK_ERR_DAMAGED);
        assert_non_null(strstr(diag->text, "log"));
        fk_log_reader_close(reader);
    }
    return err;
}

/* Opens the log again, as a start does. */
static enum fk_err reopen(struct bench *bench, struct fk_diag *diag)
{
    struct fk_log_reader reader;
    struct fk_log_tail tail;
    uint32_t count = 0;
    enum fk_err err = fk_segment_sweep(bench->files, diag);
    if (err == FK_OK) {
        err = read_log(bench, &reader, &count, &tail, diag);
    }
    if (err == FK_OK) {
        err = fk_log_resume(&bench->log, &reader, &tail, diag);
    }
    if (err == FK_OK) {
        assert_true(count >= bench->synced);
        bench->pushed = bench->synced = count;
        bench->generation++;
    }
    return err;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    struct fk_diag diag = {.text = ""};
    push_synced(bench, 5);
    for (size_t i = 0; i < 6; i++) {
        push(bench); /* a group */
    }
    write_and_sync(bench);
    close_log(bench);
    open_files(bench);
    assert_int_equal(reopen(bench, &diag), FK_OK);
    assert_int_equal(bench->pushed, 11);
    push_synced(bench, 3);
    close_log(bench);
    open_files(bench);
    assert_int_equal(reopen(bench, &diag), FK_OK);
    assert_int_equal(bench->pushed, 14);
    bench_free(bench);
}

static void test_segment_switch(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_diag diag = {.text = ""};
    int64_t *firsts = NULL;
    size_t count = 0;
    for (size_t i = 0; i < 300; i++) {
        push(bench);
        if (i % 7 == 0) {
            write_and_sync(bench);
        }
    }
    write_and_sync(bench);
    assert_int_equal(fk_segment_list(bench->files, &arena, &firsts, &count, &diag), FK_OK);
    assert_true(count >= 7);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(firsts[i], (int64_t)i * SEGMENT_SIZE);
    }
    close_log(bench);
    open_files(bench);
    assert_int_equal(reopen(bench, &diag), FK_OK);
    assert_int_equal(bench->pushed, 300);
    /* What a checkpoint has applied goes, whole segments only. */
    assert_int_equal(fk_log_remove_before(bench->files, firsts[3] + 100, &diag), FK_OK);
    fk_arena_reset(&arena);
    assert_int_equal(fk_segment_list(bench->files, &arena, &firsts, &count, &diag), FK_OK);
    assert_int_equal(firsts[0], 3 * SEGMENT_SIZE);
    fk_arena_deinit(&arena);
    bench_free(bench);
}

/* Writes over a byte of a segment's file. */
static void flip(struct bench *bench, int64_t first, int64_t offset, uint8_t mask)
{
    char name[FK_SEGMENT_NAME_SIZE];
    struct fk_file *file = NULL;
    uint8_t byte = 0;
    size_t got = 0;
    fk_segment_name(first, name);
    assert_int_equal(bench->files->ops->open(bench->files, name, FK_OPEN_WRITE, &file, NULL), FK_OK);
    assert_int_equal(bench->files->ops->read(file, offset, &byte, 1, &got, NULL), FK_OK);
    byte ^= mask;
    assert_int_equal(bench->files->ops->write(file, offset, fk_bytes_of(&byte, 1), NULL), FK_OK);
    bench->files->ops->close(file);
}

/* Each byte of a log of two segments changed: the log is refused with its place, or gives a right prefix. After the
 * empty frame that closes the log, all of it. */
static void test_every_byte_flipped(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    push_synced(bench, 44);
    close_window(bench);
    assert_true(bench->log.accepted > SEGMENT_SIZE && bench->log.accepted < 2 * SEGMENT_SIZE);
    uint32_t refused = 0;
    uint32_t whole = 0;
    for (int64_t at = 0; at < 2 * SEGMENT_SIZE; at++) {
        struct fk_log_reader reader;
        struct fk_log_tail tail;
        struct fk_diag diag = {.text = ""};
        uint32_t count = 0;
        int64_t first = at < SEGMENT_SIZE ? 0 : SEGMENT_SIZE;
        uint8_t mask = (uint8_t)(1 + fk_prng_below(&bench->prng, 255));
        flip(bench, first, at - first, mask);
        enum fk_err err = read_log(bench, &reader, &count, &tail, &diag);
        if (err == FK_OK) {
            assert_int_equal(count, bench->pushed); /* all of it had been synced, and closed */
            fk_log_reader_close(&reader);
            whole++;
        } else {
            assert_non_null(strstr(diag.text, "offset"));
            refused++;
        }
        flip(bench, first, at - first, mask);
    }
    assert_true(refused > 4000 && whole > 500);
    bench_free(bench);
}

/* Without the closing frame, damage in the last frame can't be told from a torn write: that one, and no other, may go.
 */
static void test_flip_in_open_window(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    push_synced(bench, 10);
    int64_t last = bench->ends[8];
    for (int64_t at = FK_SEGMENT_HEADER_SIZE; at < bench->log.accepted; at++) {
        struct fk_log_reader reader;
        struct fk_log_tail tail;
        struct fk_diag diag = {.text = ""};
        uint32_t count = 0;
        flip(bench, 0, at, 0x40);
        enum fk_err err = read_log(bench, &reader, &count, &tail, &diag);
        assert_int_equal(err, at < last ? FK_ERR_DAMAGED : FK_OK);
        if (err == FK_OK) {
            assert_int_equal(count, 9);
            assert_true(tail.torn);
            fk_log_reader_close(&reader);
        }
        flip(bench, 0, at, 0x40);
    }
    bench_free(bench);
}

/* A group that was not synced, cut at every byte: what comes before it stays, of it a prefix. */
static void test_torn_at_every_byte(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    push_synced(bench, 3);
    int64_t from = bench->ends[2];
    for (size_t i = 0; i < 5; i++) {
        push(bench);
    }
    assert_true(fk_log_take(&bench->log));
    assert_int_equal(fk_log_write(&bench->log, NULL), FK_OK);
    int64_t end = bench->ends[7];
    struct fk_file *file = bench->log.current.file;
    for (int64_t cut = end - 1; cut >= from; cut--) {
        struct fk_log_reader reader;
        struct fk_log_tail tail;
        struct fk_diag diag = {.text = ""};
        uint32_t count = 0;
        uint32_t expected = 3;
        while (bench->ends[expected] <= cut) {
            expected++;
        }
        assert_int_equal(bench->files->ops->truncate(file, cut, NULL), FK_OK);
        if (cut % 2 == 0) { /* both forms that a lost write has */
            assert_int_equal(bench->files->ops->allocate(file, SEGMENT_SIZE, NULL), FK_OK);
        }
        assert_int_equal(read_log(bench, &reader, &count, &tail, &diag), FK_OK);
        assert_int_equal(count, expected);
        fk_log_reader_close(&reader);
    }
    bench_free(bench);
}

/* Each prefix of the files of a synced log: those that end in the synced part are refused only where something later
 * proves the damage; a right prefix comes otherwise. */
static void test_every_prefix(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    push_synced(bench, 20);
    struct fk_file *file = bench->log.current.file;
    for (int64_t size = bench->ends[19]; size >= 0; size--) {
        struct fk_log_reader reader;
        struct fk_log_tail tail;
        struct fk_diag diag = {.text = ""};
        uint32_t count = 0;
        assert_int_equal(bench->files->ops->truncate(file, size, NULL), FK_OK);
        enum fk_err err = read_log(bench, &reader, &count, &tail, &diag);
        assert_int_equal(err, size < FK_SEGMENT_HEADER_SIZE ? FK_ERR_DAMAGED : FK_OK);
        if (err == FK_OK) {
            assert_true(count == 20 || bench->ends[count] > size);
            fk_log_reader_close(&reader);
        }
    }
    bench_free(bench);
}

/* H28: frames behind a cut must not line up behind new ones, not even behind one of the same length. */
static void test_cut_frames_do_not_come_back(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    struct fk_diag diag = {.text = ""};
    push_synced(bench, 2);
    int64_t second = bench->ends[1];
    for (size_t i = 0; i < 4; i++) {
        push(bench);
    }
    assert_true(fk_log_take(&bench->log));
    assert_int_equal(fk_log_write(&bench->log, NULL), FK_OK);
    uint8_t old[SEGMENT_SIZE];
    size_t got = 0;
    struct fk_file *file = bench->log.current.file;
    assert_int_equal(file->ops->read(file, 0, old, sizeof old, &got, NULL), FK_OK);
    /* The first frame of the group is lost, the three behind it are not. */
    flip(bench, 0, second + 5, 0xff);
    close_log(bench);
    open_files(bench);
    assert_int_equal(reopen(bench, &diag), FK_OK);
    assert_int_equal(bench->pushed, 2);
    file = bench->log.current.file;
    uint8_t now[SEGMENT_SIZE];
    assert_int_equal(file->ops->read(file, 0, now, sizeof now, &got, NULL), FK_OK);
    for (size_t i = (size_t)second; i < SEGMENT_SIZE; i++) {
        assert_int_equal(now[i], 0);
    }
    /* Even if zeroing were lost: a new frame of the length of the cut one, and the old ones behind it. */
    bench->generations[2] = 0;
    bench->generation = 0;
    push(bench);
    bench->pushed--;
    bench->log.filling.data[FK_FRAME_HEADER_SIZE + 6] ^= 1; /* another payload of the same size */
    assert_true(fk_log_take(&bench->log));
    assert_int_equal(fk_log_write(&bench->log, NULL), FK_OK);
    int64_t end = bench->ends[2];
    assert_int_equal(file->ops->write(file, end, fk_bytes_of(old + end, SEGMENT_SIZE - (size_t)end), NULL), FK_OK);
    struct fk_log_reader reader;
    struct fk_frame frame;
    struct fk_bytes payload;
    assert_int_equal(fk_log_reader_open(&reader, bench->files, FK_OPEN_READ, 0, 0, &diag), FK_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fk_log_reader_next(&reader, &frame, &payload, &diag), FK_OK);
    }
    assert_int_equal(fk_log_reader_next(&reader, &frame, &payload, &diag), FK_ERR_NOT_FOUND);
    assert_int_equal(reader.position, end);
    fk_log_reader_close(&reader);
    bench_free(bench);
}

static bool toss(void *context)
{
    return fk_prng_chance((struct fk_prng *)context, 50);
}

/* Power lost at random moments, with the writes of unsynced groups kept in any order; again and again on the same log.
 */
static void test_random_crashes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct bench *bench = bench_new();
        bench->prng.state += seed * 7919;
        for (int round = 0; round < 12; round++) {
            struct fk_diag diag = {.text = ""};
            uint64_t steps = fk_prng_below(&bench->prng, 30);
            for (uint64_t i = 0; i < steps; i++) {
                push(bench);
                if (fk_prng_chance(&bench->prng, 40)) {
                    bool taken = fk_log_take(&bench->log);
                    assert_true(taken);
                    assert_int_equal(fk_log_write(&bench->log, NULL), FK_OK);
                    if (fk_prng_chance(&bench->prng, 60)) {
                        assert_int_equal(fk_log_sync(&bench->log, NULL), FK_OK);
                        bench->synced = bench->pushed;
                    }
                }
                if (fk_prng_chance(&bench->prng, 10)) {
                    assert_int_equal(prepare(bench), FK_OK);
                }
            }
            close_log(bench);
            fk_memory_disk_crash(bench->disk, toss, &bench->prng);
            open_files(bench);
            enum fk_err err = reopen(bench, &diag);
            if (err != FK_OK) {
                print_error("seed %" PRIu64 " round %d: %s\n", seed, round, diag.text);
            }
            assert_int_equal(err, FK_OK);
        }
        bench_free(bench);
    }
}

/* Power lost, or an error, at each call of the recovery that changes something: the next recovery gives the same. */
static void test_crash_in_recovery(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        struct bench *bench = bench_new();
        struct fk_diag diag = {.text = ""};
        push_synced(bench, 36);
        int64_t current = atomic_load(&bench->log.current_first);
        assert_int_equal(prepare(bench), FK_OK); /* a later segment, to be removed */
        for (size_t i = 0; i < 5; i++) {
            push(bench);
        }
        assert_true(fk_log_take(&bench->log));
        assert_int_equal(fk_log_write(&bench->log, NULL), FK_OK);
        assert_int_equal(atomic_load(&bench->log.current_first), current);
        flip(bench, current, bench->ends[35] + 3 - current, 0xff); /* cut there */
        close_log(bench);
        open_files(bench);
        fk_fault_plan_set(&bench->plan, FK_FAULT_CALLS, nth, true, FK_ERR_IO);
        bench->synced = 36;
        enum fk_err err = reopen(bench, &diag);
        failed = err != FK_OK;
        if (failed) {
            assert_int_equal(err, FK_ERR_IO);
            assert_true(bench->plan.failed > 0);
        }
        fk_fault_plan_set(&bench->plan, FK_FAULT_CALLS, 0, false, FK_ERR_IO);
        close_log(bench);
        fk_memory_disk_crash(bench->disk, toss, &bench->prng);
        open_files(bench);
        diag = (struct fk_diag){.text = ""};
        bench->pushed = 41;
        bench->generation = 0;
        err = reopen(bench, &diag);
        if (err != FK_OK) {
            print_error("fault at call %" PRIu64 ": %s\n", nth, diag.text);
        }
        assert_int_equal(err, FK_OK);
        assert_in_range(bench->pushed, 36, 41); /* the flip may be what was lost */
        bench_free(bench);
        assert_true(nth < 100);
    }
}

static void test_no_space_for_segment(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    struct fk_diag diag = {.text = ""};
    fk_memory_disk_limit(bench->disk, SEGMENT_SIZE + SEGMENT_SIZE / 2);
    while (fk_log_room(&bench->log, PAYLOAD_MAX)) {
        push(bench);
    }
    write_and_sync(bench);
    assert_int_equal(prepare(bench), FK_ERR_FULL);
    assert_false(fk_log_room(&bench->log, PAYLOAD_MAX));
    fk_memory_disk_limit(bench->disk, INT64_MAX);
    assert_int_equal(prepare(bench), FK_OK);
    assert_true(fk_log_room(&bench->log, PAYLOAD_MAX));
    push_synced(bench, 5);
    close_log(bench);
    open_files(bench);
    assert_int_equal(reopen(bench, &diag), FK_OK);
    bench_free(bench);
}

/* A start on a full disk: there is no room for the rest of the segment, and there is again when space is. */
static void test_no_space_on_start(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    struct fk_diag diag = {.text = ""};
    push_synced(bench, 3);
    flip(bench, 0, bench->ends[2] + 1, 0xff); /* something to cut */
    fk_memory_disk_limit(bench->disk, bench->ends[2]);
    close_log(bench);
    open_files(bench);
    assert_int_equal(reopen(bench, &diag), FK_OK);
    assert_int_equal(bench->pushed, 3);
    assert_true(fk_log_is_short(&bench->log));
    assert_false(fk_log_room(&bench->log, 10));
    assert_false(fk_log_can_close(&bench->log));
    assert_int_equal(fk_log_allocate(&bench->log, &diag), FK_ERR_FULL);
    fk_memory_disk_limit(bench->disk, INT64_MAX);
    assert_int_equal(fk_log_allocate(&bench->log, &diag), FK_OK);
    fk_log_extend(&bench->log);
    push_synced(bench, 40);
    bench_free(bench);
}

/* Gives the first segment another version, with the right CRC, computed by other means: bit by bit. */
static void write_version(struct bench *bench, uint8_t version)
{
    uint8_t header[FK_SEGMENT_HEADER_SIZE];
    size_t got = 0;
    struct fk_file *file = bench->log.current.file;
    assert_int_equal(file->ops->read(file, 0, header, sizeof header, &got, NULL), FK_OK);
    header[11] = version;
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < 32; i++) {
        crc ^= header[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
        }
    }
    crc = ~crc;
    for (size_t i = 0; i < 4; i++) {
        header[32 + i] = (uint8_t)(crc >> (24 - 8 * i));
    }
    assert_int_equal(file->ops->write(file, 0, fk_bytes_of(header, sizeof header), NULL), FK_OK);
}

static void test_newer_version(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    struct fk_diag diag = {.text = ""};
    struct fk_segment segment;
    write_version(bench, FK_SEGMENT_VERSION + 1);
    assert_int_equal(fk_segment_open(bench->files, 0, FK_OPEN_READ, &segment, &diag), FK_ERR_VERSION);
    assert_non_null(strstr(diag.text, "log.0000000000000000"));
    assert_non_null(strstr(diag.text, "version 3"));
    write_version(bench, 0);
    assert_int_equal(fk_segment_open(bench->files, 0, FK_OPEN_READ, &segment, &diag), FK_ERR_VERSION);
    bench_free(bench);
}

/* What an older version has written is read; before anything new stands in it, it says so. */
static void test_older_version(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    struct fk_log_reader reader;
    struct fk_log_tail tail;
    struct fk_segment segment;
    uint32_t count = 0;
    push_synced(bench, 10);
    write_version(bench, 1);
    assert_int_equal(fk_segment_open(bench->files, 0, FK_OPEN_READ, &segment, NULL), FK_OK);
    assert_int_equal(segment.version, 1);
    fk_segment_close(&segment);
    fk_log_deinit(&bench->log);
    bench->log = (struct fk_log){.files = NULL};
    assert_int_equal(read_log(bench, &reader, &count, &tail, NULL), FK_OK);
    assert_int_equal(count, 10);
    assert_int_equal(fk_log_resume(&bench->log, &reader, &tail, NULL), FK_OK);
    assert_int_equal(fk_segment_open(bench->files, 0, FK_OPEN_READ, &segment, NULL), FK_OK);
    assert_int_equal(segment.version, FK_SEGMENT_VERSION);
    fk_segment_close(&segment);
    push_synced(bench, 10);
    bench_free(bench);
}

static void test_missing_segment(void **state)
{
    (void)state;
    struct bench *bench = bench_new();
    struct fk_log_reader reader;
    struct fk_log_tail tail;
    uint32_t count = 0;
    push_synced(bench, 100);
    struct fk_diag diag = {.text = ""};
    assert_int_equal(bench->files->ops->remove(bench->files, "log.0000000000001000", NULL), FK_OK);
    assert_int_equal(read_log(bench, &reader, &count, &tail, &diag), FK_ERR_DAMAGED);
    assert_non_null(strstr(diag.text, "log.0000000000001000 is missing"));
    diag = (struct fk_diag){.text = ""};
    assert_int_equal(bench->files->ops->remove(bench->files, "log.0000000000000000", NULL), FK_OK);
    assert_int_equal(fk_log_reader_open(&reader, bench->files, FK_OPEN_READ, 0, 0, &diag), FK_ERR_DAMAGED);
    bench_free(bench);
}

static bool lose_all(void *context)
{
    (void)context;
    return false;
}

/* A sync fails, the process ends and starts again on what the page cache shows; then the power goes: what the start has
 * found must still be there. */
static void test_start_after_failed_sync(void **state)
{
    (void)state;
    for (uint32_t before = 0; before < 40; before++) {
        struct bench *bench = bench_new();
        struct fk_diag diag = {.text = ""};
        push_synced(bench, before);
        push(bench);
        push(bench);
        assert_true(fk_log_take(&bench->log));
        assert_int_equal(fk_log_write(&bench->log, NULL), FK_OK);
        struct fk_files *files = fk_memory_files_new(bench->disk);
        char name[FK_SEGMENT_NAME_SIZE];
        struct fk_file *file = NULL;
        fk_segment_name(atomic_load(&bench->log.current_first), name);
        assert_int_equal(files->ops->open(files, name, FK_OPEN_WRITE, &file, NULL), FK_OK);
        fk_memory_file_fail_sync(file, lose_all, NULL);
        file->ops->close(file);
        files->ops->free(files);
        bench->synced = bench->pushed; /* the start shows them */
        close_log(bench);
        open_files(bench);
        assert_int_equal(reopen(bench, &diag), FK_OK);
        push_synced(bench, 2);
        close_log(bench);
        fk_memory_disk_crash(bench->disk, lose_all, NULL);
        open_files(bench);
        enum fk_err err = reopen(bench, &diag);
        if (err != FK_OK) {
            print_error("after %" PRIu32 " frames: %s\n", before, diag.text);
        }
        assert_int_equal(err, FK_OK);
        bench_free(bench);
    }
}

static const struct CMUnitTest tests[] = {
    FK_TEST(test_start_after_failed_sync),
    FK_TEST(test_round_trip),
    FK_TEST(test_segment_switch),
    FK_TEST(test_every_byte_flipped),
    FK_TEST(test_flip_in_open_window),
    FK_TEST(test_torn_at_every_byte),
    FK_TEST(test_every_prefix),
    FK_TEST(test_cut_frames_do_not_come_back),
    FK_TEST(test_random_crashes),
    FK_TEST(test_crash_in_recovery),
    FK_TEST(test_no_space_for_segment),
    FK_TEST(test_no_space_on_start),
    FK_TEST(test_newer_version),
    FK_TEST(test_older_version),
    FK_TEST(test_missing_segment),
};

FK_TEST_MAIN(tests)
