// SPDX-License-Identifier: Apache-2.0
/* The plot of `faaskeeper cost`: data and commands go to gnuplot's standard input, the picture comes from its standard
 * output. No shell, no file name in a command, nothing of the user's own settings of gnuplot. */
#include "cli/cost.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    POINTS = 121,
    PATH_SIZE = 4096,
};

/* Where there is no break-even the picture is around this. */
#define MIDDLE_RATE 1e6
#define MILLION     1e6

extern char **environ;

static void write_data(const struct fk_cli_cost_result *result, double least, double most, struct fk_buf *out)
{
    double share = result->estimate.read_share;
    const struct fk_estimate *estimate = &result->estimate;
    const struct fk_workload *workload = &result->workload;
    double asked = workload->reads_per_day + workload->writes_per_day;
    fk_buf_print(out, "$cost << EOD\n");
    for (int i = 0; i < POINTS; i++) {
        double rate = least * pow(most / least, (double)i / (POINTS - 1));
        /* A run's mix is not the workload's: its bill is a line. */
        double usd = result->recorded ? estimate->fixed_usd + (estimate->bill.usd - estimate->fixed_usd) * rate / asked
                                      : fk_estimate_at(workload, result->prices, rate, share);
        fk_buf_print(out, "%.6g %.6g %.6g\n", rate, usd,
                     fk_estimate_ensemble_at(workload, &result->ensemble, result->prices, rate, share));
    }
    fk_buf_print(out, "EOD\n");
}

static void write_break_even(const struct fk_cli_cost_result *result, struct fk_buf *out)
{
    double rate = result->estimate.break_even;
    double usd = fk_estimate_ensemble_at(&result->workload, &result->ensemble, result->prices, rate,
                                         result->estimate.read_share);
    fk_buf_print(out, "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead dashtype 2 linecolor rgb '#666666'\n", rate,
                 rate);
    fk_buf_print(out, "set label 'break-even: %.4g%s requests a day' at %.9g, graph 0.04 right offset -1, 0\n",
                 rate < MILLION ? rate : rate / MILLION, rate < MILLION ? "" : " million", rate);
    fk_buf_print(out, "set label '' at %.9g, %.9g point pointtype 7 pointsize 1\n", rate, usd);
}

void fk_cli_cost_plot_script(const struct fk_cli_cost_result *result, bool svg, struct fk_buf *out)
{
    const struct fk_workload *workload = &result->workload;
    double meet = result->estimate.break_even;
    bool meets = isfinite(meet) && meet >= 1;
    double middle = meets ? meet : MIDDLE_RATE;
    fk_buf_print(out, "set terminal %s\n",
                 svg ? "svg size 900,560 font 'sans-serif,14' background rgb 'white'" : "png size 900,560");
    fk_buf_print(out, "set encoding utf8\nset logscale xy\nset key left top\nset grid\n");
    fk_buf_print(out, "set title '%.3g %% reads of %.0f bytes, %s, answers over %s; prices of %s'\n",
                 result->estimate.read_share * 100, workload->size, workload->pipeline ? "pipeline" : "single hop",
                 workload->tcp ? "TCP" : "SQS", fk_prices_region(result->prices));
    fk_buf_print(out, "set xlabel 'requests a day'\nset ylabel 'USD a month'\n");
    fk_buf_print(out, "set format x '10^{%%T}'\nset format y '%%g'\n");
    write_data(result, middle / 1000, middle * 30, out);
    if (meets) {
        write_break_even(result, out);
    }
    fk_buf_print(out, "plot $cost using 1:2 with lines linewidth 2 title 'FaaSKeeper', ");
    fk_buf_print(out, "$cost using 1:3 with lines linewidth 2 title 'ZooKeeper, %dx%s'\n", result->ensemble.count,
                 result->ensemble.type);
}

/* The script as an open file, at its beginning; NULL with diag. */
static FILE *script_file(struct fk_bytes script, struct fk_diag *diag)
{
    FILE *file = tmpfile();
    if (file == NULL || fwrite(script.data, 1, script.size, file) != script.size || fflush(file) != 0 ||
        fseek(file, 0, SEEK_SET) != 0) {
        fk_diag_set(diag, "--plot: a temporary file: %s", strerror(errno));
        if (file != NULL) {
            (void)fclose(file);
        }
        return NULL;
    }
    return file;
}

/* Runs gnuplot with these two; its messages go where ours go. */
static enum fk_err run(int in, int out, struct fk_diag *diag)
{
    char *arguments[] = {(char[]){"gnuplot"}, (char[]){"--default-settings"}, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    int status = 0;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return FK_ERR_NOMEM;
    }
    int code = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    code = code == 0 ? posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) : code;
    code = code == 0 ? posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ) : code;
    (void)posix_spawn_file_actions_destroy(&actions);
    if (code == ENOENT) {
        fk_diag_set(diag, "--plot: there is no gnuplot; install gnuplot (Debian: apt install gnuplot-nox)");
        return FK_ERR_NOT_FOUND;
    }
    if (code != 0) {
        fk_diag_set(diag, "--plot: gnuplot: %s", strerror(code));
        return FK_ERR_IO;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fk_diag_set(diag, "--plot: gnuplot failed");
        return FK_ERR_IO;
    }
    return FK_OK;
}

/* Into PATH.part, which takes the name when it is whole. */
static enum fk_err draw(int in, const char *path, struct fk_diag *diag)
{
    char part[PATH_SIZE];
    if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part) {
        fk_diag_set(diag, "--plot: the name has more than %d bytes", PATH_SIZE);
        return FK_ERR_USAGE;
    }
    int out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (out < 0) {
        fk_diag_set(diag, "--plot: %.200s: %s", part, strerror(errno));
        return FK_ERR_IO;
    }
    enum fk_err err = run(in, out, diag);
    if (close(out) != 0 || (err == FK_OK && rename(part, path) != 0)) {
        fk_diag_set(diag, "--plot: %.200s: %s", path, strerror(errno));
        err = err == FK_OK ? FK_ERR_IO : err;
    }
    if (err != FK_OK) {
        (void)unlink(part);
    }
    return err;
}

enum fk_err fk_cli_cost_plot(const struct fk_cli_cost_result *result, const char *path, struct fk_diag *diag)
{
    struct fk_buf script = FK_BUF_EMPTY;
    size_t size = strlen(path);
    fk_cli_cost_plot_script(result, size > 4 && strcmp(path + size - 4, ".svg") == 0, &script);
    FILE *file = script.failed ? NULL : script_file(fk_buf_view(&script), diag);
    enum fk_err err = script.failed ? FK_ERR_NOMEM : file == NULL ? FK_ERR_IO : draw(fileno(file), path, diag);
    fk_buf_deinit(&script);
    if (file != NULL) {
        (void)fclose(file);
    }
    return err;
}
