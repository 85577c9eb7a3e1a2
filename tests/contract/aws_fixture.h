// SPDX-License-Identifier: Apache-2.0
/* What the suites need of the test cloud (tests/aws/cloud.py): connections to one of its emulators, and fresh tables,
 * buckets and queues in it, of random names. The emulators are named by FK_CLOUD_MINISTACK and FK_CLOUD_MOTO; where
 * neither is set, the cases that want one are skipped. */
#ifndef FK_TESTS_CONTRACT_AWS_FIXTURE_H
#define FK_TESTS_CONTRACT_AWS_FIXTURE_H

#include "driver/aws/deployment.h"
#include "port/clock.h"
#include "support/test.h"

enum fk_emulator {
    FK_EMULATOR_NONE, /* the driver needs none */
    FK_EMULATOR_MINISTACK,
    FK_EMULATOR_MOTO,
};

bool fk_cloud_there(enum fk_emulator emulator);

/* Connections to the emulator, and a new name; NULL where something is missing. One at a time, within one test. */
struct fk_aws *fk_cloud_open(enum fk_emulator emulator);
void fk_cloud_close(void);
/* Those that are open. */
struct fk_aws *fk_cloud_aws(void);
/* "fk-" and 16 hexadecimal digits: of this opening. */
const char *fk_cloud_name(void);

struct fk_clock *fk_cloud_clock(void);
struct fk_random *fk_cloud_random(void);

/* Create what is called fk_cloud_name(); false where that fails, with a line that says why. */
bool fk_cloud_create_table(void);
bool fk_cloud_create_bucket(void);
/* fifo: its name gets ".fifo". The URL is valid until the next one. */
const char *fk_cloud_create_queue(bool fifo);

/* Runs those of the tests whose initial state, a struct that begins with an enum fk_emulator, wants none or one that is
 * there; counts the others as one test that is skipped. */
int fk_cloud_run_tests(const char *name, const struct CMUnitTest *tests, size_t count);

#define FK_CLOUD_TEST_MAIN(tests)                                                                                      \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        return fk_cloud_run_tests(#tests, tests, sizeof(tests) / sizeof(tests)[0]);                                    \
    }

#endif
