// SPDX-License-Identifier: Apache-2.0
/* docs/aws-units.md: what each operation uses. `faaskeeper-units` prints it, `faaskeeper-units --check FILE` compares.
 * With --table it is the table of src/cost: the same numbers as data. */
#include "base/buf.h"
#include "units/cases.h"
#include "units/table.h"

#include <stdio.h>
#include <stdlib.h>

static const char intro[] =
    "# What an operation uses of AWS\n"
    "\n"
    "Measured by the meters of `src/port/meter.h` around the ports: one gateway, the functions and the memory "
    "drivers,\n"
    "which have the semantics of DynamoDB, SQS and S3; nothing else is running and nothing fails. Made by\n"
    "`build/tests/units/faaskeeper-units > docs/aws-units.md`; a test fails where this file is not what the code does, "
    "and\n"
    "`tests/units/units_test.c` asserts the budgets.\n"
    "\n"
    "* *table*: requests to DynamoDB; a transaction is one. *read*: strongly consistent read units of 4 KB. *write*: "
    "write\n"
    "  units of 1 KB, those of a transaction count twice.\n"
    "* *SQS*: requests of sending to the FIFO queues, one for each 64 KB of base64. Lambda's pollers receive and "
    "delete\n"
    "  besides: two requests for an invocation at least.\n"
    "* *calls*: invocations of functions. *told*: messages to gateways; over the SQS channel each is a request of "
    "sending\n"
    "  and a share of one of receiving and one of deleting, over TCP none.\n"
    "* *S3*: PUT, GET and LIST requests; deletions are free.\n"
    "* Where a condition does not hold because somebody was faster, the write is billed and tried again: contention "
    "adds\n"
    "  to these numbers.\n"
    "* Where more than 8 gateways have an event that they have not acknowledged (renewals do that, each 7.5 s), a "
    "commit\n"
    "  reads the record of each of them.\n"
    "* The heartbeat looks at all sessions in one of ten times, and for data that no record names in one of sixty: the "
    "row of 600 has them.\n";

static const char prototype[] = "\n## The prototype\n"
                                "\n"
                                "Its cost model (the notebooks of the paper's artifact, `C_write` and `C_read`): a "
                                "write is two messages of SQS, three\n"
                                "units for lock, commit and the list of pending changes, one read of verification, and "
                                "the node itself in DynamoDB\n"
                                "(*hybrid*, small nodes) or S3; two functions run. A read is one request to the store. "
                                "Creating and deleting rewrite the\n"
                                "parent with the names of all its children, so that their units grow with their "
                                "number. It has no multi, no setACL, no\n"
                                "addauth, and no node above 250 kB.\n"
                                "\n"
                                "| operation | prototype |\n"
                                "| --- | --- |\n";

static void print_count(struct fk_buf *out, int64_t number)
{
    if (number == 0) {
        fk_buf_print(out, " - |");
    } else {
        fk_buf_print(out, " %lld |", (long long)number);
    }
}

static void print_row(struct fk_buf *out, const struct units_case *one, bool pipeline)
{
    struct units_use use = units_measure(one, pipeline);
    const struct fk_units *units = &use.units;
    fk_buf_print(out, "| %s |", one->name);
    print_count(out, units->table_gets + units->table_lists + units->table_writes + units->table_transactions);
    print_count(out, units->read_units);
    print_count(out, units->write_units);
    print_count(out, units->queue_requests);
    print_count(out, use.invocations);
    print_count(out, units->channel_sends);
    if (units->blob_puts + units->blob_gets + units->blob_lists == 0) {
        fk_buf_print(out, " - |\n");
    } else {
        fk_buf_print(out, " %lld PUT, %lld GET, %lld LIST |\n", (long long)units->blob_puts,
                     (long long)units->blob_gets, (long long)units->blob_lists);
    }
}

static void print_table(struct fk_buf *out, const char *title, bool pipeline, bool only_functions)
{
    fk_buf_print(out, "\n## %s\n\n", title);
    fk_buf_print(out, "| operation | table | read | write | SQS | calls | told | S3 |\n");
    fk_buf_print(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n");
    for (size_t i = 0; i < units_case_count; i++) {
        if (!only_functions || !units_cases[i].gateway_alone) {
            print_row(out, &units_cases[i], pipeline);
        }
    }
}

static void print_all(struct fk_buf *out)
{
    fk_buf_append(out, fk_bytes_text(intro));
    print_table(out, "Single hop", false, false);
    print_table(out, "Pipeline: what differs", true, true);
    fk_buf_append(out, fk_bytes_text(prototype));
    for (size_t i = 0; i < units_case_count; i++) {
        if (units_cases[i].prototype != NULL) {
            fk_buf_print(out, "| %s | %s |\n", units_cases[i].name, units_cases[i].prototype);
        }
    }
}

/* True where the file has these bytes. */
static bool is_same(const char *path, struct fk_bytes bytes)
{
    FILE *file = fopen(path, "rb");
    struct fk_buf found = FK_BUF_EMPTY;
    char chunk[4096];
    size_t size = 0;
    if (file == NULL) {
        return false;
    }
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0) {
        fk_buf_append(&found, fk_bytes_of((const uint8_t *)chunk, size));
    }
    bool same = fk_bytes_equal(fk_buf_view(&found), bytes);
    (void)fclose(file);
    fk_buf_deinit(&found);
    return same;
}

int main(int count, char **args)
{
    struct fk_buf out = FK_BUF_EMPTY;
    bool table = count > 1 && strcmp(args[1], "--table") == 0;
    int rest = table ? 2 : 1;
    bool check = count == rest + 2 && strcmp(args[rest], "--check") == 0;
    if (count != rest && !check) {
        (void)fprintf(stderr, "usage: faaskeeper-units [--table] [--check FILE]\n");
        return 2;
    }
    (table ? units_print_table : print_all)(&out);
    struct fk_bytes text = fk_buf_view(&out);
    int code = 0;
    if (!check) {
        code = fwrite(text.data, 1, text.size, stdout) == text.size ? 0 : 1;
    } else if (!is_same(args[rest + 1], text)) {
        (void)fprintf(stderr, "%s is not what the code does; make it again:\n  %s%s\n", args[rest + 1], args[0],
                      table ? " --table > src/cost/units_table.inc" : " > docs/aws-units.md");
        code = 1;
    }
    fk_buf_deinit(&out);
    return code;
}
