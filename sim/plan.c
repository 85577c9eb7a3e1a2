// SPDX-License-Identifier: Apache-2.0
/* Fault plans as text, and the names in them. */
#include "base/assert.h"
#include "sim/fault.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const role_texts[] = {
#define SIM_ROLE_ROW(name, text) text,
    SIM_ROLE_TABLE(SIM_ROLE_ROW)
#undef SIM_ROLE_ROW
};

static const char *const call_texts[] = {
#define SIM_CALL_ROW(name, text) text,
    SIM_CALL_TABLE(SIM_CALL_ROW)
#undef SIM_CALL_ROW
};

static const struct {
    const char *text;
    const char *number;
    const char *what;
} fault_texts[] = {
#define SIM_FAULT_ROW(name, text, number, what) {text, number, what},
    SIM_FAULT_TABLE(SIM_FAULT_ROW)
#undef SIM_FAULT_ROW
};

static char labels[SIM_LABELS_MAX][32];
static uint32_t label_count = 1; /* labels[0] is "" */

const char *sim_fault_text(enum sim_fault_kind kind)
{
    return fault_texts[kind].text;
}

const char *sim_fault_number(enum sim_fault_kind kind)
{
    return fault_texts[kind].number;
}

const char *sim_fault_what(enum sim_fault_kind kind)
{
    return fault_texts[kind].what;
}

uint32_t sim_label_index(const char *label)
{
    for (uint32_t i = 0; i < label_count; i++) {
        if (strcmp(labels[i], label) == 0) {
            return i;
        }
    }
    FK_ASSERT(label_count < SIM_LABELS_MAX);
    (void)snprintf(labels[label_count], sizeof labels[0], "%s", label);
    return label_count++;
}

void sim_labels_copy(char to[SIM_LABELS_MAX][32])
{
    memcpy(to, labels, sizeof labels);
}

void sim_site_name(const struct sim_site *site, char *text, size_t size)
{
    const char *label = labels[site->label];
    (void)snprintf(text, size, "%s%s%s.%s", role_texts[site->role], *label == '\0' ? "" : ".", label,
                   call_texts[site->call]);
}

/* The role whose name is in front; what stands behind its dot. */
static const char *parse_role(const char *text, enum sim_role *role)
{
    for (size_t i = 0; i < SIM_ROLE_COUNT; i++) {
        size_t size = strlen(role_texts[i]);
        if (strncmp(text, role_texts[i], size) == 0 && text[size] == '.') {
            *role = (enum sim_role)i;
            return text + size + 1;
        }
    }
    return NULL;
}

bool sim_site_parse(const char *text, struct sim_site *site)
{
    const char *rest = parse_role(text, &site->role);
    if (rest == NULL) {
        return false;
    }
    for (size_t i = 0; i < SIM_CALL_COUNT; i++) {
        size_t all = strlen(rest);
        size_t size = strlen(call_texts[i]);
        if (all < size || strcmp(rest + all - size, call_texts[i]) != 0) {
            continue;
        }
        char label[32];
        if (all > size && (rest[all - size - 1] != '.' || all - size > sizeof label)) {
            return false;
        }
        (void)snprintf(label, sizeof label, "%.*s", all > size ? (int)(all - size - 1) : 0, rest);
        site->call = (enum sim_call)i;
        site->label = sim_label_index(label);
        return true;
    }
    return false;
}

bool sim_fault_parse(const char *text, enum sim_fault_kind *kind)
{
    for (size_t i = 0; i < SIM_FAULT_COUNT; i++) {
        if (strcmp(text, fault_texts[i].text) == 0) {
            *kind = (enum sim_fault_kind)i;
            return true;
        }
    }
    return false;
}

void sim_plan_add(struct sim_plan *plan, const struct sim_planned *planned)
{
    if (plan->count == plan->capacity) {
        plan->capacity = plan->capacity == 0 ? 64 : plan->capacity * 2;
        plan->faults = realloc(plan->faults, plan->capacity * sizeof *plan->faults);
        FK_ASSERT(plan->faults != NULL);
    }
    plan->faults[plan->count++] = *planned;
}

void sim_plan_free(struct sim_plan *plan)
{
    free(plan->faults);
    *plan = (struct sim_plan){0};
}

void sim_plan_print(const struct sim_plan *plan, struct fk_buf *out)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct sim_planned *planned = &plan->faults[i];
        char name[96];
        sim_site_name(&planned->site, name, sizeof name);
        fk_buf_print(out, "%s %" PRIu64 " %s", name, planned->occurrence, sim_fault_text(planned->fault.kind));
        if (planned->fault.argument != 0) {
            fk_buf_print(out, " %" PRId64, planned->fault.argument);
        }
        fk_buf_print(out, "\n");
    }
}

static bool parse_line(const char *line, struct sim_planned *planned)
{
    char site[96];
    char fault[32];
    *planned = (struct sim_planned){0};
    int fields =
        sscanf(line, "%95s %" SCNu64 " %31s %" SCNd64, site, &planned->occurrence, fault, &planned->fault.argument);
    return fields >= 3 && planned->occurrence > 0 && sim_site_parse(site, &planned->site) &&
           sim_fault_parse(fault, &planned->fault.kind);
}

static bool is_blank(const char *line)
{
    while (isspace((unsigned char)*line)) {
        line++;
    }
    return *line == '\0' || *line == '#';
}

bool sim_plan_parse(const char *text, struct sim_plan *plan, size_t *line)
{
    *line = 0;
    while (*text != '\0') {
        ++*line;
        size_t size = strcspn(text, "\n");
        char one[256];
        (void)snprintf(one, sizeof one, "%.*s", (int)(size < sizeof one ? size : sizeof one - 1), text);
        struct sim_planned planned;
        if (!is_blank(one)) {
            if (!parse_line(one, &planned)) {
                return false;
            }
            sim_plan_add(plan, &planned);
        }
        text += size + (text[size] == '\n');
    }
    return true;
}
