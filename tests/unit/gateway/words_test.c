// SPDX-License-Identifier: Apache-2.0
/* Four-letter words: only before a handshake, only those of the whitelist, in ZooKeeper's formats. */
#include "world.h"

#include <stdio.h>

static const char *ask(const char *word)
{
    struct peer *peer = peer_open("10.0.0.9");
    peer_send(peer, fk_bytes_text(word));
    world_settle();
    assert_true(peer_closed(peer));
    fk_buf_append(&peer->in, FK_BYTES_LITERAL("\0"));
    return (const char *)fk_arena_copy(&world.arena, fk_buf_view(&peer->in)).data;
}

static void allow(unsigned words)
{
    world.options.words = words;
    world_restart();
}

static void parsing(void **state)
{
    (void)state;
    assert_int_equal(fk_word_parse(FK_BYTES_LITERAL("srvr")), FK_WORD_SRVR);
    assert_int_equal(fk_word_parse(FK_BYTES_LITERAL("ruok")), FK_WORD_RUOK);
    assert_int_equal(fk_word_parse(FK_BYTES_LITERAL("stat")), FK_WORD_STAT);
    assert_int_equal(fk_word_parse(FK_BYTES_LITERAL("mntr")), FK_WORD_MNTR);
    assert_int_equal(fk_word_parse(FK_BYTES_LITERAL("isro")), FK_WORD_ISRO);
    assert_int_equal(fk_word_parse(FK_BYTES_LITERAL("envi")), FK_WORD_ENVI);
    assert_int_equal(fk_word_parse(FK_BYTES_LITERAL("SRVR")), 0);
    assert_int_equal(fk_word_parse(FK_BYTES_LITERAL("srv")), 0);
    assert_int_equal(fk_word_parse(FK_BYTES_LITERAL("srvrx")), 0);
    assert_int_equal(fk_word_parse(FK_BYTES_LITERAL("")), 0);
    assert_int_equal(fk_word_parse(FK_BYTES_NULL), 0);
}

static void the_whitelist(void **state)
{
    (void)state;
    static const char *const words[] = {"ruok", "stat", "mntr", "isro", "envi"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char expected[128];
        (void)snprintf(expected, sizeof expected, "%s is not executed because it is not in the whitelist.\n", words[i]);
        assert_string_equal(ask(words[i]), expected);
    }
    assert_string_equal(ask("nope"), ""); /* unknown words: closed silently */
    assert_non_null(strstr(ask("srvr"), "Mode: standalone\n"));
}

static void short_answers(void **state)
{
    (void)state;
    allow(FK_WORD_ALL);
    assert_string_equal(ask("ruok"), "imok");
    assert_string_equal(ask("isro"), "rw");
    assert_string_equal(ask("ruok\n"), "imok"); /* what nc sends behind it */
}

static void words_in_pieces(void **state)
{
    (void)state;
    allow(FK_WORD_ALL);
    struct peer *peer = peer_open("10.0.0.9");
    for (const char *at = "ruok"; *at != '\0'; at++) {
        assert_false(peer_closed(peer));
        peer_send(peer, fk_bytes_of(at, 1));
        world_settle();
    }
    assert_true(peer_closed(peer));
    fk_assert_text(fk_buf_view(&peer->in), "imok");
}

static void the_server_in_numbers(void **state)
{
    (void)state;
    allow(FK_WORD_ALL);
    struct peer *peer = peer_session();
    send_create(peer, 1, "/a", "12345", FK_CREATE_EPHEMERAL);
    send_watch(peer, 2, FK_OP_GET_DATA, "/a", true);
    world_settle();
    const char *text = ask("srvr");
    assert_int_equal(strncmp(text, "Zookeeper version: ", 19), 0);
    assert_non_null(strstr(text, "\nLatency min/avg/max: 0/0.0/0\n"));
    assert_non_null(strstr(text, "\nReceived: 3\nSent: 3\nConnections: 2\nOutstanding: 0\nZxid: 0x2\n"));
    assert_non_null(strstr(text, "\nMode: standalone\nNode count: 6\n"));
    text = ask("stat");
    assert_int_equal(strncmp(text, "Zookeeper version: ", 19), 0);
    assert_non_null(strstr(text, "\nClients:\n /10.0.0.1:1234[1](queued=0,recved=3,sent=3)\n"));
    assert_non_null(strstr(text, "\nLatency min/avg/max: "));
    text = ask("mntr");
    static const char *const lines[] = {
        "zk_version\t",
        "zk_server_state\tstandalone\n",
        "zk_avg_latency\t0.0\n",
        "zk_znode_count\t6\n",
        "zk_watch_count\t1\n",
        "zk_ephemerals_count\t1\n",
        "zk_global_sessions\t1\n",
        "zk_outstanding_requests\t0\n",
        "zk_packets_sent\t3\n",
        "zk_auth_failed_count\t0\n",
        "zk_num_alive_connections\t2\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (strstr(text, lines[i]) == NULL) {
            fail_msg("no %s in:\n%s", lines[i], text);
        }
    }
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_int_equal(strncmp(line, "zk_", 3), 0);
        assert_non_null(strchr(line, '\t'));
    }
}

static void the_environment(void **state)
{
    (void)state;
    world.options.environment = "host.name=here\n";
    allow(FK_WORD_ALL);
    const char *text = ask("envi");
    assert_int_equal(strncmp(text, "Environment:\nzookeeper.version=", 31), 0);
    assert_non_null(strstr(text, "\nhost.name=here\n"));
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(parsing),         WORLD_TEST(the_whitelist),         WORLD_TEST(short_answers),
    WORLD_TEST(words_in_pieces), WORLD_TEST(the_server_in_numbers), WORLD_TEST(the_environment),
};

FK_TEST_MAIN(tests)
