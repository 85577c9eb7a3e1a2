// SPDX-License-Identifier: Apache-2.0
/* C5 (and C13 of events): each promise about watches, kept and broken. B watches what A changes. */
#include "story.h"

enum {
    A = 0xa,
    B = 0xb,
    PERSISTENT = 0,
    RECURSIVE = 1,
};

struct scene {
    struct story story;
    uint32_t a;
    uint32_t b;
    int32_t xid; /* of A's last write */
};

/* /r exists since zxid 1. */
static void scene_begin(struct scene *scene)
{
    story_begin(&scene->story);
    scene->a = story_open(&scene->story, A);
    scene->b = story_open(&scene->story, B);
    story_create(&scene->story, scene->a, 1, "/r", "0", 0);
    story_commit(&scene->story, A, 1, 1, 0);
    story_told_path(&scene->story, scene->a, 1, 1, "/r");
    scene->xid = 1;
}

static void scene_end(struct scene *scene, const char *promise)
{
    story_settle(&scene->story);
    if (promise == NULL) {
        story_good(&scene->story);
    } else {
        story_bad(&scene->story, promise);
    }
    story_end(&scene->story);
}

static int64_t set(struct scene *scene, const char *path)
{
    story_set(&scene->story, scene->a, ++scene->xid, path, "1", -1);
    return story_commit(&scene->story, A, 1, scene->xid, 0);
}

static int64_t create(struct scene *scene, const char *path)
{
    story_create(&scene->story, scene->a, ++scene->xid, path, "1", 0);
    return story_commit(&scene->story, A, 1, scene->xid, 0);
}

static int64_t delete (struct scene *scene, const char *path)
{
    story_delete(&scene->story, scene->a, ++scene->xid, path);
    return story_commit(&scene->story, A, 1, scene->xid, 0);
}

static void watch_data(struct scene *scene)
{
    story_read(&scene->story, scene->b, 1, FK_OP_GET_DATA, "/r", true);
    story_told_data(&scene->story, scene->b, 1, 1, "0", story_stat(1, 1, 0, 1));
}

static void told_once(void **state)
{
    (void)state;
    for (int times = 0; times < 3; times++) {
        struct scene scene;
        scene_begin(&scene);
        watch_data(&scene);
        set(&scene, "/r");
        set(&scene, "/r"); /* one-shot: the second change is not told */
        for (int i = 0; i < times; i++) {
            story_event(&scene.story, scene.b, 2, FK_EVENT_DATA_CHANGED, "/r");
        }
        scene_end(&scene, times == 1 ? NULL : "C5");
    }
}

static void right_event(void **state)
{
    (void)state;
    static const struct {
        int64_t zxid;
        int32_t type;
        const char *path;
        const char *promise;
    } rows[] = {
        {2, FK_EVENT_DATA_CHANGED, "/r", NULL},
        {3, FK_EVENT_DATA_CHANGED, "/r", "C5"},
        {2, FK_EVENT_DELETED, "/r", "C5"},
        {2, FK_EVENT_DATA_CHANGED, "/s", "C5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene scene;
        scene_begin(&scene);
        watch_data(&scene);
        set(&scene, "/r");
        set(&scene, "/r");
        story_event(&scene.story, scene.b, rows[i].zxid, rows[i].type, rows[i].path);
        scene_end(&scene, rows[i].promise);
    }
}

/* The event at zxid 2 comes before any answer that shows zxid 2 or later, of whatever path. */
static void before_what_shows_it(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct scene scene;
        scene_begin(&scene);
        watch_data(&scene);
        set(&scene, "/r");
        create(&scene, "/s");
        story_read(&scene.story, scene.b, 2, FK_OP_EXISTS, "/s", false);
        if (broken == 0) {
            story_event(&scene.story, scene.b, 2, FK_EVENT_DATA_CHANGED, "/r");
        }
        story_told_stat(&scene.story, scene.b, 2, 3, story_stat(3, 3, 0, 1));
        if (broken == 1) {
            story_event(&scene.story, scene.b, 2, FK_EVENT_DATA_CHANGED, "/r");
        }
        scene_end(&scene, broken == 0 ? NULL : "C5");
    }
}

static void events_in_order(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct scene scene;
        scene_begin(&scene);
        watch_data(&scene);
        story_read(&scene.story, scene.b, 2, FK_OP_EXISTS, "/s", true);
        story_told(&scene.story, scene.b, 2, 1, FK_CODE_NO_NODE);
        set(&scene, "/r");
        create(&scene, "/s");
        if (broken == 0) {
            story_event(&scene.story, scene.b, 2, FK_EVENT_DATA_CHANGED, "/r");
        }
        story_event(&scene.story, scene.b, 3, FK_EVENT_CREATED, "/s");
        if (broken == 1) {
            story_event(&scene.story, scene.b, 2, FK_EVENT_DATA_CHANGED, "/r");
        }
        scene_end(&scene, broken == 0 ? NULL : "C5");
    }
}

/* Data and child watch on a node: its deletion is one event; the parent's children change besides. */
static void deletion(void **state)
{
    (void)state;
    static const char *const names[] = {"zookeeper", "r"};
    for (int extra = 0; extra < 2; extra++) {
        struct scene scene;
        scene_begin(&scene);
        watch_data(&scene);
        story_read(&scene.story, scene.b, 2, FK_OP_GET_CHILDREN, "/r", true);
        story_told_names(&scene.story, scene.b, 2, 1, NULL, 0);
        story_read(&scene.story, scene.b, 3, FK_OP_GET_CHILDREN, "/", true);
        story_told_names(&scene.story, scene.b, 3, 1, names, 2);
        delete (&scene, "/r");
        story_event(&scene.story, scene.b, 2, FK_EVENT_DELETED, "/r");
        story_event(&scene.story, scene.b, 2, FK_EVENT_CHILDREN_CHANGED, "/");
        if (extra == 1) {
            story_event(&scene.story, scene.b, 2, FK_EVENT_DELETED, "/r");
        }
        scene_end(&scene, extra == 0 ? NULL : "C5");
    }
}

static void without_a_watch(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    set(&scene, "/r");
    story_event(&scene.story, scene.b, 2, FK_EVENT_DATA_CHANGED, "/r");
    scene_end(&scene, "C5");
}

static void gone_with_the_connection(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    watch_data(&scene);
    story_lose(&scene.story, scene.b);
    set(&scene, "/r");
    (void)story_reopen(&scene.story, B, 2, 1);
    scene_end(&scene, NULL);
}

/* B comes back at zxid 3 or 4 with a watch of `list` on /r that it had at zxid 1, after /r was changed so. */
static void comes_back(int list, const char *change, int32_t told, const char *promise)
{
    struct scene scene;
    scene_begin(&scene);
    watch_data(&scene);
    story_lose(&scene.story, scene.b);
    if (strcmp(change, "set") == 0) {
        set(&scene, "/r");
    } else if (strcmp(change, "delete") == 0) {
        delete (&scene, "/r");
    } else if (strcmp(change, "child") == 0) {
        create(&scene, "/r/c");
    } else {
        create(&scene, "/s");
    }
    uint32_t b = story_reopen(&scene.story, B, 2, 1);
    story_set_watches(&scene.story, b, 1, list, list == 1 ? "/s" : "/r");
    if (told != 0) {
        story_event(&scene.story, b, -1, told, list == 1 ? "/s" : "/r");
    }
    story_told(&scene.story, b, FK_XID_SET_WATCHES, 3, 0);
    scene_end(&scene, promise);
}

static void set_again(void **state)
{
    (void)state;
    comes_back(0, "set", FK_EVENT_DATA_CHANGED, NULL);
    comes_back(0, "set", 0, "C5");
    comes_back(0, "set", FK_EVENT_DELETED, "C5");
    comes_back(0, "child", 0, NULL);
    comes_back(0, "child", FK_EVENT_DATA_CHANGED, "C5");
    comes_back(0, "delete", FK_EVENT_DELETED, NULL);
    comes_back(0, "delete", 0, "C5");
    comes_back(1, "other", FK_EVENT_CREATED, NULL);
    comes_back(1, "other", 0, "C5");
    comes_back(1, "set", 0, NULL);
    comes_back(2, "child", FK_EVENT_CHILDREN_CHANGED, NULL);
    comes_back(2, "child", 0, "C5");
    comes_back(2, "set", FK_EVENT_CHILDREN_CHANGED, "C5");
    comes_back(3, "set", 0, NULL); /* persistent ones catch up nothing */
    comes_back(3, "set", FK_EVENT_DATA_CHANGED, "C5");
}

/* A watch that was set again fires like any other. */
static void set_again_fires(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct scene scene;
        scene_begin(&scene);
        watch_data(&scene);
        story_lose(&scene.story, scene.b);
        uint32_t b = story_reopen(&scene.story, B, 2, 1);
        story_set_watches(&scene.story, b, 1, 0, "/r");
        story_told(&scene.story, b, FK_XID_SET_WATCHES, 2, 0);
        set(&scene, "/r");
        if (broken == 0) {
            story_event(&scene.story, b, 3, FK_EVENT_DATA_CHANGED, "/r");
        }
        scene_end(&scene, broken == 0 ? NULL : "C5");
    }
}

static void add_watch(struct scene *scene, const char *path, int32_t mode)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_write_bytes(&body, fk_bytes_text(path));
    fk_write_i32(&body, mode);
    story_ask(&scene->story, scene->b, 1, FK_OP_ADD_WATCH, fk_buf_view(&body));
    fk_buf_clear(&body);
    fk_write_i32(&body, 0);
    story_told_bytes(&scene->story, scene->b, 1, 1, fk_buf_view(&body));
    fk_buf_deinit(&body);
}

/* Every change, with none left out and none twice: `skip` and `twice` are indices of what is told, -1 for none. */
static void follow(const char *path, int32_t mode, int skip, int twice, const char *promise)
{
    struct scene scene;
    scene_begin(&scene);
    add_watch(&scene, path, mode);
    set(&scene, "/r");
    create(&scene, "/r/c");
    set(&scene, "/r/c");
    set(&scene, "/r");
    delete (&scene, "/r/c");
    static const struct {
        int32_t type;
        const char *path;
        int64_t zxid;
        bool child; /* told to persistent watches of /r; the others to recursive ones */
        bool below;
    } rows[] = {
        {FK_EVENT_DATA_CHANGED, "/r", 2, true, true},      {FK_EVENT_CREATED, "/r/c", 3, false, true},
        {FK_EVENT_CHILDREN_CHANGED, "/r", 3, true, false}, {FK_EVENT_DATA_CHANGED, "/r/c", 4, false, true},
        {FK_EVENT_DATA_CHANGED, "/r", 5, true, true},      {FK_EVENT_DELETED, "/r/c", 6, false, true},
        {FK_EVENT_CHILDREN_CHANGED, "/r", 6, true, false},
    };
    for (int i = 0; i < 7; i++) {
        bool told = mode == RECURSIVE ? rows[i].below : rows[i].child;
        for (int k = 0; told && i != skip && k < (i == twice ? 2 : 1); k++) {
            story_event(&scene.story, scene.b, rows[i].zxid, rows[i].type, rows[i].path);
        }
    }
    scene_end(&scene, promise);
}

static void persistent_watches(void **state)
{
    (void)state;
    follow("/r", PERSISTENT, -1, -1, NULL);
    follow("/r", PERSISTENT, 4, -1, "C5");
    follow("/r", PERSISTENT, -1, 4, "C5");
    follow("/r", RECURSIVE, -1, -1, NULL);
    follow("/r", RECURSIVE, 3, -1, "C5");
    follow("/r", RECURSIVE, 5, -1, "C5");
    follow("/r", RECURSIVE, -1, 3, "C5");
    follow("/", RECURSIVE, -1, -1, NULL);
}

/* What the end of a session removes is told in any order, each once. */
static void end_of_a_session(void **state)
{
    (void)state;
    for (int row = 0; row < 4; row++) {
        struct scene scene;
        scene_begin(&scene);
        add_watch(&scene, "/", RECURSIVE);
        for (int i = 0; i < 2; i++) {
            story_create(&scene.story, scene.a, ++scene.xid, i == 0 ? "/e0" : "/e1", "x", FK_CREATE_EPHEMERAL);
            story_commit(&scene.story, A, 1, scene.xid, 0);
            story_event(&scene.story, scene.b, 2 + i, FK_EVENT_CREATED, i == 0 ? "/e0" : "/e1");
        }
        story_lose(&scene.story, scene.a);
        story_wait(&scene.story, STORY_TIMEOUT_MS);
        story_ground(&scene.story, (struct sim_ground){.kind = SIM_GROUND_CLOSE, .session_id = A});
        story_event(&scene.story, scene.b, 4, FK_EVENT_DELETED, row == 0 ? "/e0" : "/e1");
        if (row < 2) {
            story_event(&scene.story, scene.b, 4, FK_EVENT_DELETED, row == 0 ? "/e1" : "/e0");
        } else if (row == 2) {
            story_event(&scene.story, scene.b, 4, FK_EVENT_DELETED, "/e1");
        }
        scene_end(&scene, row < 2 ? NULL : "C5");
    }
}

/* The event of one's own write comes before its answer. */
static void own_change(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct scene scene;
        scene_begin(&scene);
        story_read(&scene.story, scene.a, ++scene.xid, FK_OP_EXISTS, "/r", true);
        story_told_stat(&scene.story, scene.a, scene.xid, 1, story_stat(1, 1, 0, 1));
        story_set(&scene.story, scene.a, ++scene.xid, "/r", "1", -1);
        story_commit(&scene.story, A, 1, 2, 0);
        for (int i = 0; i < 2; i++) {
            if (i == broken) {
                story_event(&scene.story, scene.a, 2, FK_EVENT_DATA_CHANGED, "/r");
            } else {
                story_told_stat(&scene.story, scene.a, scene.xid, 2, story_stat(1, 2, 1, 1));
            }
        }
        scene_end(&scene, broken == 0 ? NULL : "C5");
    }
}

/* B, which may not read /p, hears nothing of it. */
static void hidden_nodes(void **state)
{
    (void)state;
    for (int told = 0; told < 2; told++) {
        struct scene scene;
        struct fk_buf body = FK_BUF_EMPTY;
        struct fk_acl_entry entry = {
            .perms = FK_PERM_READ, .scheme = fk_bytes_text("ip"), .id = fk_bytes_text("10.0.0.1")};
        scene_begin(&scene);
        story_read(&scene.story, scene.b, 1, FK_OP_EXISTS, "/p", true);
        story_told(&scene.story, scene.b, 1, 1, FK_CODE_NO_NODE);
        fk_write_bytes(&body, fk_bytes_text("/p"));
        fk_write_bytes(&body, fk_bytes_text("x"));
        fk_write_i32(&body, 1);
        fk_write_acl_entry(&body, &entry);
        fk_write_i32(&body, 0);
        story_ask(&scene.story, scene.a, ++scene.xid, FK_OP_CREATE, fk_buf_view(&body));
        story_commit(&scene.story, A, 1, 2, 0);
        if (told == 1) {
            story_event(&scene.story, scene.b, 2, FK_EVENT_CREATED, "/p");
        }
        fk_buf_deinit(&body);
        scene_end(&scene, told == 0 ? NULL : "C13");
    }
}

static const struct CMUnitTest tests[] = {
    FK_TEST(told_once),       FK_TEST(right_event),        FK_TEST(before_what_shows_it),     FK_TEST(events_in_order),
    FK_TEST(deletion),        FK_TEST(without_a_watch),    FK_TEST(gone_with_the_connection), FK_TEST(set_again),
    FK_TEST(set_again_fires), FK_TEST(persistent_watches), FK_TEST(end_of_a_session),         FK_TEST(own_change),
    FK_TEST(hidden_nodes),
};

FK_TEST_MAIN(tests)
