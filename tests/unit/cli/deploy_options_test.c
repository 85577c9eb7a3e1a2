// SPDX-License-Identifier: Apache-2.0
#include "cli/deploy.h"

#include "support/test.h"

enum {
    WORDS_MAX = 16,
};

static struct fk_cli_deploy parsed;
static struct fk_diag diag;
static bool help;

/* Words separated by blanks; the texts stay in `line`. */
static enum fk_err parse(enum fk_cli_deploy_command command, char *line)
{
    char *words[WORDS_MAX] = {line};
    int count = 1;
    for (char *at = strchr(line, ' '); at != NULL; at = strchr(at + 1, ' ')) {
        *at = '\0';
        words[count++] = at + 1;
    }
    diag.text[0] = '\0';
    help = false;
    return fk_cli_deploy_parse(command, count, words, &parsed, &help, &diag);
}

static void all_options(void **state)
{
    (void)state;
    char line[] = "deploy aws --name demo --region=eu-central-1 --topology pipeline --memory 256 --arch x86_64 --code "
                  "a.zip --dry-run --log-days=30";
    assert_int_equal(parse(FK_CLI_DEPLOY, line), FK_OK);
    assert_string_equal(parsed.name, "demo");
    assert_string_equal(parsed.region, "eu-central-1");
    assert_string_equal(parsed.options.topology, "pipeline");
    assert_string_equal(parsed.options.memory, "256");
    assert_string_equal(parsed.options.architecture, "x86_64");
    assert_string_equal(parsed.options.code, "a.zip");
    assert_string_equal(parsed.options.log_days, "30");
    assert_true(parsed.options.dry_run);
    assert_null(parsed.options.channel);
    char rules[] = "deploy aws --name demo --skip-acl=true --enforce-quota false --container-never-used-ms 5";
    assert_int_equal(parse(FK_CLI_DEPLOY, rules), FK_OK);
    for (size_t i = 0; i < FK_DEPLOYMENT_RULES; i++) {
        const char *option = fk_deployment_rules[i].option;
        const char *value = strcmp(option, "--skip-acl") == 0                  ? "true"
                            : strcmp(option, "--enforce-quota") == 0           ? "false"
                            : strcmp(option, "--container-never-used-ms") == 0 ? "5"
                                                                               : NULL;
        assert_true(value == NULL ? parsed.options.rules[i] == NULL : strcmp(parsed.options.rules[i], value) == 0);
    }
    char destroy[] = "destroy --yes --name x aws";
    assert_int_equal(parse(FK_CLI_DESTROY, destroy), FK_OK);
    assert_true(parsed.yes);
    char status[] = "status aws --json --name x";
    assert_int_equal(parse(FK_CLI_STATUS, status), FK_OK);
    assert_true(parsed.json);
    char asking[] = "status --help --nonsense";
    assert_int_equal(parse(FK_CLI_STATUS, asking), FK_OK);
    assert_true(help);
}

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum fk_cli_deploy_command command;
        const char *line;
        const char *error;
    } rows[] = {
        {FK_CLI_DEPLOY, "deploy", "which cloud"},
        {FK_CLI_DEPLOY, "deploy gcp --name x", "'gcp': the only cloud known is aws"},
        {FK_CLI_DEPLOY, "deploy aws aws --name x", "'aws': one argument too many"},
        {FK_CLI_DEPLOY, "deploy aws", "--name is missing"},
        {FK_CLI_DEPLOY, "deploy aws --name", "'--name': this option needs a value"},
        {FK_CLI_DEPLOY, "deploy aws --name x --yes", "'--yes': unknown option"},
        {FK_CLI_DEPLOY, "deploy aws --name x --dry-run=1", "'--dry-run=1': this option takes no value"},
        {FK_CLI_DEPLOY, "deploy aws --name x --memory 64", "--memory '64': expected 128 to 10240 (MB)"},
        {FK_CLI_DEPLOY, "deploy aws --names x", "'--names': unknown option"},
        {FK_CLI_DEPLOY, "deploy aws --name x --skip-acl yes", "--skip-acl 'yes': expected true or false"},
        {FK_CLI_DEPLOY, "deploy aws --name x --acl-schemes=", "--acl-schemes '': expected none, sasl"},
        {FK_CLI_DEPLOY, "deploy aws --name x --skip-acl", "'--skip-acl': this option needs a value"},
        {FK_CLI_STATUS, "status aws --name x --skip-acl true", "'--skip-acl': unknown option"},
        {FK_CLI_DESTROY, "destroy aws --name x --json", "'--json': unknown option"},
        {FK_CLI_STATUS, "status aws --name x --memory 128", "'--memory': unknown option"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "%s", rows[i].line);
        assert_int_equal(parse(rows[i].command, line), FK_ERR_USAGE);
        assert_non_null(strstr(diag.text, rows[i].error));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(all_options),
        FK_TEST(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
