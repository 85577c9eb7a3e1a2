// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_facts.h"

#include "driver/local/posix_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char *data_path; /* of the process; NULL: in memory */

void fk_serve_process_facts(struct fk_process_facts *facts)
{
    static struct fk_summary syncs;
    struct rlimit limit;
    DIR *directory = opendir("/proc/self/fd");
    fk_posix_sync_times(&syncs);
    facts->syncs = &syncs;
    facts->open_files_max = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int64_t)limit.rlim_cur : -1;
    facts->open_files = 0;
    if (directory == NULL) {
        return;
    }
    while (readdir(directory) != NULL) {
        facts->open_files++;
    }
    (void)closedir(directory);
    facts->open_files -= 3; /* ".", ".." and the directory itself */
}

const char *fk_serve_environment(void)
{
    static char text[1024];
    struct utsname system;
    char directory[256];
    if (uname(&system) != 0 || getcwd(directory, sizeof directory) == NULL) {
        return "";
    }
    (void)snprintf(text, sizeof text,
                   "host.name=%s\njava.version=none\nos.name=%s\nos.arch=%s\nos.version=%s\nuser.dir=%s\n",
                   system.nodename, system.sysname, system.machine, system.release, directory);
    return text;
}

/* The directory is flat: segments of the log and the checkpoint. */
static int64_t data_size(void)
{
    DIR *directory = data_path == NULL ? NULL : opendir(data_path);
    const struct dirent *entry = NULL;
    int64_t size = 0;
    if (directory == NULL) {
        return 0;
    }
    while ((entry = readdir(directory)) != NULL) {
        struct stat info;
        if (fstatat(dirfd(directory), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode)) {
            size += info.st_size;
        }
    }
    (void)closedir(directory);
    return size;
}

static int32_t port_of(const struct fk_serve_listen *listen, enum fk_listen_mode mode)
{
    for (size_t i = 0; i < listen->count; i++) {
        const char *colon = strrchr(listen->items[i].address, ':');
        bool tls = listen->items[i].mode == FK_LISTEN_TLS;
        if (colon != NULL && tls == (mode == FK_LISTEN_TLS)) {
            return (int32_t)strtol(colon + 1, NULL, 10);
        }
    }
    return -1;
}

struct fk_server_settings fk_serve_settings(const struct fk_config *config, const struct fk_serve_listen *listen,
                                            const char *data_directory)
{
    data_path = data_directory;
    return (struct fk_server_settings){.data_directory = data_directory,
                                       .client_port = port_of(listen, FK_LISTEN_PLAIN),
                                       .secure_port = port_of(listen, FK_LISTEN_TLS),
                                       .backlog = config->backlog,
                                       .data_size = data_size};
}

/* What is honoured, with secrets as "(set)". */
static const char *configuration_text(const struct fk_config *config)
{
    static char *text;
    size_t size = 0;
    FILE *out = text == NULL ? open_memstream(&text, &size) : NULL;
    if (out != NULL) {
        fk_config_print(config, false, out);
        (void)fclose(out);
    }
    return text;
}

static const char *address_text(char *text, size_t size, const char *host, int32_t port)
{
    const char *name = host == NULL ? "127.0.0.1" : host;
    bool six = strchr(name, ':') != NULL && name[0] != '[';
    (void)snprintf(text, size, six ? "[%s]:%d" : "%s:%d", name, port);
    return text;
}

struct fk_admin_options fk_serve_admin(const struct fk_config *config)
{
    static char texts[2][300];
    const struct fk_config_admin *admin = &config->admin;
    bool metrics = admin->metrics_class != NULL && strstr(admin->metrics_class, "Prometheus") != NULL;
    struct fk_admin_options options = {.command_url = admin->command_url == NULL ? "/commands" : admin->command_url,
                                       .idle_ms = admin->idle_ms};
    if (admin->enabled) {
        options.address = address_text(texts[0], sizeof texts[0], admin->address, admin->port);
        options.configuration = configuration_text(config);
    }
    if (metrics) {
        options.metrics_address = address_text(texts[1], sizeof texts[1], admin->metrics_address, admin->metrics_port);
    }
    return options;
}
