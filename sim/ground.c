// SPDX-License-Identifier: Apache-2.0
#include "sim/ground.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "function/decide.h"
#include "function/distributor_internal.h"
#include "wire/codes.h"

struct note {
    struct note *next;
    struct sim_ground entry;
};

/* What one process has decided since its last commit; memory of the world. */
struct sim_notes {
    struct fk_arena arena;
    struct note *first;
    struct note **end;
};

static struct sim_history *ground_history;

void sim_ground_to(struct sim_history *history)
{
    ground_history = history;
}

static struct sim_notes *new_notes(void)
{
    struct sim_notes *notes = fk_alloc_zero(sizeof *notes);
    FK_ASSERT(notes != NULL);
    notes->end = &notes->first;
    return notes;
}

void sim_ground_dropped(struct sim_notes *notes)
{
    if (notes != NULL) {
        fk_arena_deinit(&notes->arena);
        fk_free(notes);
    }
}

void sim_ground_applied(struct sim_notes *notes, int64_t time_ns)
{
    if (notes == NULL) {
        return;
    }
    for (struct note *note = notes->first; note != NULL && ground_history != NULL; note = note->next) {
        note->entry.time_ns = time_ns;
        sim_history_ground(ground_history, &note->entry);
    }
    sim_ground_dropped(notes);
}

/* --- the notes of a process --- */

static void drop_slot(void *context)
{
    struct sim_notes **slot = context;
    sim_ground_dropped(*slot);
    fk_free(slot);
}

static struct sim_notes **slot_of(struct sim_process *process)
{
    struct sim_notes **slot = sim_process_slot(process);
    if (slot == NULL) {
        slot = fk_alloc_zero(sizeof *slot);
        FK_ASSERT(slot != NULL);
        sim_process_set_slot(process, slot);
        sim_process_at_end(process, drop_slot, slot);
    }
    return slot;
}

static bool is_zx(const struct fk_write *write)
{
    return write->kind == FK_WRITE_PUT && fk_bytes_equal_text(write->key.partition, "zx");
}

struct sim_notes *sim_ground_take(const struct fk_write *writes, size_t count)
{
    struct sim_process *process = sim_current();
    struct sim_notes **slot = process == NULL ? NULL : sim_process_slot(process);
    for (size_t i = 0; slot != NULL && i < count; i++) {
        if (is_zx(&writes[i])) {
            struct sim_notes *notes = *slot;
            *slot = NULL;
            return notes;
        }
    }
    return NULL;
}

/* --- the decisions --- */

static struct fk_bytes kept(struct fk_arena *arena, struct fk_bytes bytes)
{
    struct fk_bytes copy = fk_arena_copy(arena, bytes);
    FK_ASSERT(copy.data != NULL || bytes.data == NULL);
    return copy;
}

/* The nodes that the change just planned deletes. */
static void note_paths(struct sim_notes *notes, const struct fk_decision *decision, struct sim_ground *entry)
{
    struct fk_change change = fk_plan_change(&decision->plan);
    struct fk_bytes *paths = fk_arena_alloc(&notes->arena, (change.count + 1) * sizeof *paths);
    FK_ASSERT(paths != NULL);
    for (size_t i = 0; i < change.count; i++) {
        if (change.puts[i].kind == FK_PUT_DELETE) {
            paths[entry->path_count++] = kept(&notes->arena, change.puts[i].node.path);
        }
    }
    entry->paths = paths;
}

static void note_answer(struct sim_notes *notes, const struct fk_decision *decision, struct sim_ground *entry)
{
    if (fk_list_empty(&decision->outcomes)) {
        return;
    }
    const struct fk_outcome *outcome = FK_CONTAINER_OF(decision->outcomes.prev, struct fk_outcome, link);
    if (outcome->answer.zxid == entry->zxid) {
        entry->code = outcome->answer.code;
        entry->body = kept(&notes->arena, outcome->answer.body);
    }
}

static void describe(struct sim_notes *notes, struct fk_decision *decision, const struct fk_request_message *message,
                     int32_t op, enum fk_verdict verdict, struct sim_ground *entry)
{
    bool chunk = verdict == FK_VERDICT_AGAIN;
    switch (op) {
    case FK_OP_ATTACH:
        entry->kind = SIM_GROUND_ATTACH;
        entry->gateway = message->gateway;
        entry->epoch = fk_overlay_session(&decision->overlay, message->session_id)->record.epoch;
        entry->number = 0;
        break;
    case FK_OP_GATEWAY_DEAD:
        entry->kind = SIM_GROUND_GATEWAY_DEAD;
        entry->gateway = message->gateway;
        entry->session_id = entry->epoch = entry->number = 0;
        break;
    case FK_OP_SWEEP_NODE:
        entry->kind = SIM_GROUND_SWEEP_NODE;
        entry->session_id = entry->epoch = entry->number = 0;
        note_paths(notes, decision, entry);
        break;
    case FK_OP_EXPIRE:
        entry->kind = chunk ? SIM_GROUND_CLOSE_CHUNK : SIM_GROUND_CLOSE;
        entry->number = 0;
        note_paths(notes, decision, entry);
        break;
    case FK_OP_CLOSE_SESSION:
        entry->kind = chunk ? SIM_GROUND_CLOSE_CHUNK : SIM_GROUND_CLOSE;
        note_paths(notes, decision, entry);
        break;
    default:
        entry->kind = SIM_GROUND_REQUEST;
        note_answer(notes, decision, entry);
        break;
    }
}

/* A new note of the process, of the zxid that was given last. */
static struct note *add_note(const struct fk_decision *decision, struct sim_notes **all)
{
    struct sim_notes **slot = slot_of(sim_current());
    int64_t zxid = decision->overlay.zx.zxid;
    if (*slot != NULL && zxid == decision->overlay.base_zxid + 1) {
        sim_ground_dropped(*slot); /* of a commit that never was */
        *slot = NULL;
    }
    if (*slot == NULL) {
        *slot = new_notes();
    }
    struct sim_notes *notes = *slot;
    struct note *note = fk_arena_alloc(&notes->arena, sizeof *note);
    FK_ASSERT(note != NULL);
    *note = (struct note){.entry = {.zxid = zxid}};
    *notes->end = note;
    notes->end = &note->next;
    *all = notes;
    return note;
}

static void note_decision(struct fk_decision *decision, const struct fk_request_message *message, int32_t op,
                          int64_t number, enum fk_verdict verdict)
{
    struct sim_process *before = sim_memory_of(NULL);
    struct sim_notes *notes = NULL;
    struct sim_ground *entry = &add_note(decision, &notes)->entry;
    entry->session_id = message->session_id;
    entry->epoch = message->epoch;
    entry->number = number;
    describe(notes, decision, message, op, verdict, entry);
    (void)sim_memory_of(before);
}

/* --- what the distributor makes visible --- */

static void note_entry_paths(struct sim_notes *notes, const struct fk_entry *planned, struct sim_ground *entry)
{
    struct fk_bytes *paths = fk_arena_alloc(&notes->arena, (planned->put_count + 1) * sizeof *paths);
    FK_ASSERT(paths != NULL);
    for (size_t i = 0; i < planned->put_count; i++) {
        if (planned->puts[i].kind == FK_PUT_DELETE) {
            paths[entry->path_count++] = kept(&notes->arena, planned->puts[i].record.node.path);
        }
    }
    entry->paths = paths;
}

static void note_entry(struct fk_decision *decision, const struct fk_entry *planned)
{
    struct sim_process *before = sim_memory_of(NULL);
    struct sim_notes *notes = NULL;
    struct sim_ground *entry = &add_note(decision, &notes)->entry;
    entry->session_id = planned->session_id;
    entry->epoch = planned->epoch;
    entry->number = planned->answered < 0 ? 0 : planned->answered;
    switch (planned->kind) {
    case FK_STEP_ATTACH:
        entry->kind = SIM_GROUND_ATTACH;
        entry->gateway = planned->gateway;
        break;
    case FK_STEP_SWEEP:
        entry->kind = SIM_GROUND_SWEEP_NODE;
        note_entry_paths(notes, planned, entry);
        break;
    case FK_STEP_CHUNK:
    case FK_STEP_END:
        entry->kind = planned->kind == FK_STEP_CHUNK ? SIM_GROUND_CLOSE_CHUNK : SIM_GROUND_CLOSE;
        note_entry_paths(notes, planned, entry);
        break;
    case FK_STEP_REQUEST:
    case FK_STEP_DEAD:
    default:
        entry->kind = SIM_GROUND_REQUEST;
        note_answer(notes, decision, entry);
        break;
    }
    (void)sim_memory_of(before);
}

enum fk_verdict __real_fk_distributor_apply(struct fk_decision *decision, const struct fk_entry *entry,
                                            struct fk_list *superseded);
enum fk_verdict __wrap_fk_distributor_apply(struct fk_decision *decision, const struct fk_entry *entry,
                                            struct fk_list *superseded);

enum fk_verdict __wrap_fk_distributor_apply(struct fk_decision *decision, const struct fk_entry *entry,
                                            struct fk_list *superseded)
{
    int64_t before = decision->overlay.zx.zxid;
    enum fk_verdict verdict = __real_fk_distributor_apply(decision, entry, superseded);
    bool decided = decision->overlay.zx.zxid == before + 1 && fk_decision_err(decision) == FK_OK;
    if (decided && entry->kind != FK_STEP_DEAD && sim_current() != NULL) {
        note_entry(decision, entry);
    }
    return verdict;
}

/* --- what the function of the single hop decides --- */

enum fk_verdict __real_fk_decide(struct fk_decision *decision, const struct fk_request_message *message,
                                 const struct fk_request_operation *operation, int64_t number);
enum fk_verdict __wrap_fk_decide(struct fk_decision *decision, const struct fk_request_message *message,
                                 const struct fk_request_operation *operation, int64_t number);

enum fk_verdict __wrap_fk_decide(struct fk_decision *decision, const struct fk_request_message *message,
                                 const struct fk_request_operation *operation, int64_t number)
{
    int64_t before = decision->overlay.zx.zxid;
    enum fk_verdict verdict = __real_fk_decide(decision, message, operation, number);
    bool decided = decision->overlay.zx.zxid == before + 1 && fk_decision_err(decision) == FK_OK;
    if (decided && sim_current() != NULL) {
        note_decision(decision, message, operation->op, number, verdict);
    }
    return verdict;
}
