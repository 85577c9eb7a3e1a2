// SPDX-License-Identifier: Apache-2.0
#include "sim/fault.h"

#include "base/assert.h"

#include <inttypes.h>
#include <stdlib.h>

struct sim_faults {
    struct sim_world *world;
    struct sim_swarm swarm;
    const struct sim_plan *plan;
    const struct sim_planned **order; /* the plan, sorted by site and occurrence */
    struct sim_coverage *coverage;
    struct sim_plan done;
    struct sim_plan *calls; /* NULL: nobody wants them */
    bool enabled;
    uint32_t met[SIM_ROLE_COUNT][SIM_LABELS_MAX][SIM_CALL_COUNT];
};

/* How the chance of a fault at a call differs from swarm.per_million, in percent. */
static const uint32_t weights[SIM_CALL_COUNT] = {
    [SIM_CALL_TABLE_GET] = 100,
    [SIM_CALL_TABLE_LIST] = 100,
    [SIM_CALL_TABLE_WRITE] = 150,
    [SIM_CALL_BLOB_PUT] = 300,
    [SIM_CALL_BLOB_GET] = 300,
    [SIM_CALL_BLOB_REMOVE] = 1500,
    [SIM_CALL_BLOB_LIST] = 300,
    [SIM_CALL_QUEUE_SEND] = 100,
    [SIM_CALL_QUEUE_DELIVER] = 200,
    [SIM_CALL_CHANNEL_NOTIFY] = 200,
    [SIM_CALL_PROCESS_START] = 200,
    [SIM_CALL_PROCESS_TICK] = 40,
    [SIM_CALL_NET_DATA] = 20,
    [SIM_CALL_FILE_OPEN] = 50,
    [SIM_CALL_FILE_READ] = 50,
    [SIM_CALL_FILE_WRITE] = 100,
    [SIM_CALL_FILE_SYNC] = 200,
    [SIM_CALL_FILE_SIZE] = 50,
    [SIM_CALL_FILE_ALLOCATE] = 300,
    [SIM_CALL_FILE_TRUNCATE] = 300,
    [SIM_CALL_FILE_LOCK] = 100,
    [SIM_CALL_FILE_RENAME] = 300,
    [SIM_CALL_FILE_REMOVE] = 300,
    [SIM_CALL_FILE_LIST] = 50,
    [SIM_CALL_FILE_SYNC_DIRECTORY] = 300,
};

static int compare(const struct sim_planned *a, const struct sim_planned *b)
{
    if (a->site.role != b->site.role) {
        return a->site.role < b->site.role ? -1 : 1;
    }
    if (a->site.label != b->site.label) {
        return a->site.label < b->site.label ? -1 : 1;
    }
    if (a->site.call != b->site.call) {
        return a->site.call < b->site.call ? -1 : 1;
    }
    return a->occurrence < b->occurrence ? -1 : a->occurrence > b->occurrence;
}

static int compare_places(const void *a, const void *b)
{
    return compare(*(const struct sim_planned *const *)a, *(const struct sim_planned *const *)b);
}

static void *must(void *block)
{
    FK_ASSERT(block != NULL);
    return block;
}

static void free_faults(void *context)
{
    struct sim_faults *faults = context;
    sim_plan_free(&faults->done);
    free(faults->order);
    free(faults);
}

struct sim_faults *sim_faults_new(struct sim_world *world, const struct sim_swarm *swarm, const struct sim_plan *plan,
                                  struct sim_coverage *coverage)
{
    struct sim_faults *faults = must(calloc(1, sizeof *faults));
    faults->world = world;
    faults->swarm = *swarm;
    faults->plan = plan;
    faults->coverage = coverage;
    if (plan != NULL) {
        faults->order = must(calloc(plan->count + 1, sizeof *faults->order));
        for (size_t i = 0; i < plan->count; i++) {
            faults->order[i] = &plan->faults[i];
        }
        qsort(faults->order, plan->count, sizeof *faults->order, compare_places);
    }
    sim_world_at_free(world, free_faults, faults);
    return faults;
}

void sim_faults_enable(struct sim_faults *faults, bool on)
{
    faults->enabled = on;
}

bool sim_faults_enabled(const struct sim_faults *faults)
{
    return faults->enabled;
}

const struct sim_plan *sim_faults_done(const struct sim_faults *faults)
{
    return &faults->done;
}

static struct sim_fault planned(const struct sim_faults *faults, const struct sim_planned *place)
{
    const struct sim_planned *const *found =
        bsearch(&place, faults->order, faults->plan->count, sizeof *faults->order, compare_places);
    return found == NULL ? (struct sim_fault){0} : (*found)->fault;
}

static int64_t below(struct sim_faults *faults, int64_t bound)
{
    return bound <= 0 ? 0 : (int64_t)sim_below(faults->world, SIM_DICE_FAULTS, (uint64_t)bound);
}

/* Mostly within `usual`, sometimes far beyond. */
static int64_t long_tailed(struct sim_faults *faults, int64_t usual)
{
    return 1 + below(faults, below(faults, 10) == 0 ? usual * 10 : usual);
}

static int64_t draw_argument(struct sim_faults *faults, enum sim_fault_kind kind)
{
    switch ((int)kind) {
    case SIM_FAULT_BUSY:
    case SIM_FAULT_FULL:
        return below(faults, 4) == 0 ? long_tailed(faults, 300) : 0;
    case SIM_FAULT_UNKNOWN_LATER:
    case SIM_FAULT_DUPLICATE:
        return long_tailed(faults, 1500);
    case SIM_FAULT_LATE:
    case SIM_FAULT_DELAY:
    case SIM_FAULT_OVERLOAD:
    case SIM_FAULT_STALL:
        return long_tailed(faults, 400);
    case SIM_FAULT_SLOW:
        return 1 + below(faults, 200);
    case SIM_FAULT_REDELIVER:
        return faults->swarm.zombie_ms / 2 + below(faults, 2 * faults->swarm.zombie_ms);
    case SIM_FAULT_ZOMBIE:
    case SIM_FAULT_SUSPEND:
    case SIM_FAULT_FREEZE:
        return faults->swarm.zombie_ms / 2 + below(faults, faults->swarm.zombie_ms);
    case SIM_FAULT_PARTIAL:
        return below(faults, 4);
    case SIM_FAULT_SKEW:
    case SIM_FAULT_JUMP:
        return below(faults, 2 * faults->swarm.skew_ms + 1) - faults->swarm.skew_ms;
    case SIM_FAULT_DRIFT:
        return below(faults, 401) - 200;
    case SIM_FAULT_POWER_BEFORE:
    case SIM_FAULT_POWER_AFTER:
    case SIM_FAULT_SYNC_FAILS:
        return below(faults, 4) < 2 ? below(faults, 2) : below(faults, INT32_MAX);
    case SIM_FAULT_CRASH_TORN:
        return below(faults, 1000);
    case SIM_FAULT_FLIP:
    case SIM_FAULT_ROT:
    case SIM_FAULT_ZEROED:
        return below(faults, INT32_MAX);
    default:
        return 0;
    }
}

int64_t sim_fault_usual(enum sim_fault_kind kind, const struct sim_swarm *swarm)
{
    switch ((int)kind) {
    case SIM_FAULT_BUSY:
    case SIM_FAULT_FULL:
    case SIM_FAULT_LATE:
    case SIM_FAULT_DELAY:
    case SIM_FAULT_OVERLOAD:
    case SIM_FAULT_STALL:
    case SIM_FAULT_DUPLICATE:
        return 400;
    case SIM_FAULT_UNKNOWN_LATER:
        return 1500;
    case SIM_FAULT_SLOW:
        return 100;
    case SIM_FAULT_REDELIVER:
    case SIM_FAULT_ZOMBIE:
    case SIM_FAULT_SUSPEND:
    case SIM_FAULT_FREEZE:
        return swarm->zombie_ms;
    case SIM_FAULT_SKEW:
    case SIM_FAULT_JUMP:
        return swarm->skew_ms;
    case SIM_FAULT_DRIFT:
        return 200;
    default:
        return 0;
    }
}

void sim_faults_list_calls(struct sim_faults *faults, struct sim_plan *calls)
{
    faults->calls = calls;
}

static enum sim_fault_kind draw_kind(struct sim_faults *faults, uint64_t kinds)
{
    int64_t skip = below(faults, __builtin_popcountll(kinds));
    while (skip-- > 0) {
        kinds &= kinds - 1;
    }
    return (enum sim_fault_kind)__builtin_ctzll(kinds);
}

static struct sim_fault draw(struct sim_faults *faults, const struct sim_site *site, uint64_t allowed)
{
    uint64_t kinds = allowed & faults->swarm.kinds;
    uint32_t chance = faults->swarm.per_million * weights[site->call] / 100;
    if (kinds == 0 || (faults->swarm.roles >> site->role & 1) == 0 ||
        !sim_chance(faults->world, SIM_DICE_FAULTS, chance)) {
        return (struct sim_fault){0};
    }
    enum sim_fault_kind kind = draw_kind(faults, kinds);
    return (struct sim_fault){.kind = kind, .argument = draw_argument(faults, kind)};
}

static void record(struct sim_faults *faults, const struct sim_planned *happened)
{
    char name[96];
    sim_site_name(&happened->site, name, sizeof name);
    sim_plan_add(&faults->done, happened);
    sim_trace(faults->world, "fault %s %" PRIu64 " %s %" PRId64, name, happened->occurrence,
              sim_fault_text(happened->fault.kind), happened->fault.argument);
}

struct sim_fault sim_fault_labelled(struct sim_faults *faults, enum sim_role role, const char *label,
                                    enum sim_call call, uint64_t allowed)
{
    struct sim_site site = {.role = role, .call = call, .label = sim_label_index(label)};
    struct sim_site_counts *counts = &faults->coverage->sites[role][site.label][call];
    struct sim_planned place = {.site = site, .occurrence = ++faults->met[role][site.label][call]};
    counts->calls++;
    counts->allowed |= allowed;
    if (!faults->enabled) {
        return place.fault;
    }
    if (faults->calls != NULL) {
        struct sim_planned met = place;
        met.fault.argument = (int64_t)allowed;
        sim_plan_add(faults->calls, &met);
    }
    place.fault = faults->plan != NULL ? planned(faults, &place) : draw(faults, &site, allowed);
    if ((allowed >> place.fault.kind & 1) == 0) {
        return (struct sim_fault){0}; /* nothing, or a plan that was edited into nonsense */
    }
    counts->faults[place.fault.kind]++;
    record(faults, &place);
    return place.fault;
}

struct sim_fault sim_fault_at(struct sim_faults *faults, enum sim_role role, enum sim_call call, uint64_t allowed)
{
    return sim_fault_labelled(faults, role, sim_label_now(), call, allowed);
}
