// SPDX-License-Identifier: Apache-2.0
#include "cli/cost.h"

#include "support/test.h"

enum {
    WORDS_MAX = 64,
    LINE_SIZE = 1024,
};

static struct fk_cli_cost parsed;
static struct fk_diag diag;
static char line[LINE_SIZE];

/* Words separated by blanks. */
static enum fk_err parse(const char *text)
{
    char *words[WORDS_MAX] = {line};
    int count = 1;
    (void)snprintf(line, sizeof line, "%s", text);
    for (char *at = strchr(line, ' '); at != NULL; at = strchr(at + 1, ' ')) {
        *at = '\0';
        words[count++] = at + 1;
    }
    diag.text[0] = '\0';
    return fk_cli_cost_parse(count, words, &parsed, &diag);
}

/* Whole numbers, and equal as they were read. */
static void is(double found, double expected)
{
    assert_true(found >= expected && found <= expected);
}

static void all_options(void **state)
{
    (void)state;
    assert_int_equal(
        parse(
            "estimate --reads-per-day 9e5 --writes-per-day=100000 --size 1024 --watches 0.5 --sessions 64 --gateways 2 "
            "--nodes 5000 --memory 256 --refused 0.02 --disk 0 --topology pipeline --channel tcp --arch x86_64 "
            "--outside --cross-zone --zookeeper 5xm5.large --region eu-central-1 --prices a.json --plot a.svg --json"),
        FK_OK);
    is(parsed.workload.reads_per_day, 900000);
    is(parsed.workload.writes_per_day, 100000);
    is(parsed.workload.size, 1024);
    is(parsed.workload.watches, 0.5);
    is(parsed.workload.sessions, 64);
    is(parsed.workload.gateways, 2);
    is(parsed.workload.nodes, 5000);
    is(parsed.workload.memory_mb, 256);
    is(parsed.workload.refused_share, 0.02);
    is(parsed.disk_gb, 0);
    assert_true(parsed.workload.pipeline && parsed.workload.tcp && parsed.workload.x86_64);
    assert_true(parsed.workload.outside && parsed.transfer && parsed.json);
    assert_string_equal(parsed.zookeeper, "5xm5.large");
    assert_string_equal(parsed.region, "eu-central-1");
    assert_string_equal(parsed.prices, "a.json");
    assert_string_equal(parsed.plot, "a.svg");
    assert_null(parsed.from);
}

static void what_is_not_said_has_its_default(void **state)
{
    (void)state;
    assert_int_equal(parse("estimate --writes-per-day 1"), FK_OK);
    is(parsed.workload.reads_per_day, 0);
    is(parsed.workload.gateways, 1);
    is(parsed.disk_gb, 20);
    assert_false(parsed.workload.pipeline || parsed.workload.tcp || parsed.workload.x86_64 || parsed.json);
    assert_string_equal(parsed.zookeeper, "3xt3.small");
    assert_string_equal(parsed.region, "us-east-1");
    assert_int_equal(parse("estimate --from run.json --channel tcp"), FK_OK);
    assert_string_equal(parsed.from, "run.json");
    assert_int_equal(parse("estimate --help --nonsense"), FK_OK);
    assert_true(parsed.help);
}

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *error;
    } cases[] = {
        {"estimate", "what is asked for? Say --reads-per-day and --writes-per-day, or --from FILE"},
        {"estimate --size 5", "what is asked for?"},
        {"estimate --reads 5", "'--reads': unknown option"},
        {"estimate 5", "'5': an option is expected"},
        {"estimate --reads-per-day", "--reads-per-day: this option needs a value"},
        {"estimate --reads-per-day many", "--reads-per-day: a number from 0 to 100000000000 is expected"},
        {"estimate --reads-per-day -5", "--reads-per-day: a number from 0 to 100000000000 is expected"},
        {"estimate --reads-per-day 1 --size 2000000", "--size: a whole number from 0 to 1048511 is expected"},
        {"estimate --reads-per-day 1 --size 10k", "--size: a whole number from 0 to 1048511 is expected"},
        {"estimate --reads-per-day 1 --gateways 0", "--gateways: at least 1 is expected where there are requests"},
        {"estimate --reads-per-day 1 --memory 64", "--memory: a whole number from 128 to 10240 is expected"},
        {"estimate --reads-per-day 1 --refused nan", "--refused: a number from 0 to 1 is expected"},
        {"estimate --reads-per-day 1 --topology star", "--topology: single-hop or pipeline is expected, not 'star'"},
        {"estimate --reads-per-day 1 --channel=udp", "--channel: sqs or tcp is expected, not 'udp'"},
        {"estimate --reads-per-day 1 --arch mips", "--arch: arm64 or x86_64 is expected, not 'mips'"},
        {"estimate --reads-per-day 1 --json=1", "--json: this option takes no value"},
        {"estimate --reads-per-day 1 --disk -1", "--disk: a number from 0 to 16384 is expected"},
        {"estimate --reads-per-day 1 --plot a.gif",
         "--plot: a file that ends with .svg or .png is expected, not 'a.gif'"},
        {"estimate --reads-per-day 1 --plot .svg", "--plot: a file that ends with"},
        {"estimate --from a --reads-per-day 1", "--reads-per-day: not with --from: the run says that itself"},
        {"estimate --from a --gateways 1", "--gateways: not with --from"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(cases[i].line), FK_ERR_USAGE);
        if (strncmp(diag.text, cases[i].error, strlen(cases[i].error)) != 0) {
            fail_msg("'%s': '%s', and '%s' was expected", cases[i].line, diag.text, cases[i].error);
        }
    }
}

/* Data, both lines, the break-even; no quote of a name can end a text, as no name is in it but those of prices. */
static void the_script_of_a_plot(void **state)
{
    (void)state;
    struct fk_prices *prices = NULL;
    struct fk_cli_cost_result result = {.options = &parsed};
    struct fk_buf script = FK_BUF_EMPTY;
    assert_int_equal(parse("estimate --reads-per-day 900000 --writes-per-day 100000"), FK_OK);
    assert_int_equal(fk_prices_new(parsed.region, NULL, &prices, NULL), FK_OK);
    result.prices = prices;
    result.workload = parsed.workload;
    assert_int_equal(fk_ensemble_parse(parsed.zookeeper, prices, &result.ensemble, NULL), FK_OK);
    fk_estimate_make(&result.workload, &result.ensemble, prices, &result.estimate);
    fk_cli_cost_plot_script(&result, true, &script);
    fk_buf_append(&script, fk_bytes_of("", 1));
    const char *text = (const char *)fk_buf_view(&script).data;
    assert_non_null(strstr(text, "set terminal svg"));
    assert_non_null(strstr(text, "$cost << EOD\n"));
    assert_non_null(strstr(text, " million requests a day'"));
    assert_non_null(strstr(text, "title 'ZooKeeper, 3xt3.small'"));
    fk_buf_deinit(&script);
    result.estimate.break_even = 0; /* there is none to mark */
    fk_cli_cost_plot_script(&result, false, &script);
    fk_buf_append(&script, fk_bytes_of("", 1));
    text = (const char *)fk_buf_view(&script).data;
    assert_non_null(strstr(text, "set terminal png"));
    assert_null(strstr(text, "break-even"));
    fk_buf_deinit(&script);
    fk_prices_free(prices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(all_options),
        FK_TEST(what_is_not_said_has_its_default),
        FK_TEST(what_is_refused),
        FK_TEST(the_script_of_a_plot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
