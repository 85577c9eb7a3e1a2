// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario_internal.h"

const struct sim_scenario SIM_SCENARIOS_NODES[] = {
    {.name = "create-get",
     .what = "a node is created and read",
     .gateways = 1,
     .small = true,
     .script = "1 create /a x =0\n"
               "1 get /a =0"},
    {.name = "create-set-get",
     .what = "a node is created, set and read",
     .gateways = 1,
     .small = true,
     .script = "1 create /a x =0\n"
               "1 set /a y =0\n"
               "1 get /a =0"},
    {.name = "create-delete",
     .what = "a node is created and deleted",
     .gateways = 1,
     .small = true,
     .script = "1 create /a x =0\n"
               "1 delete /a =0\n"
               "1 exists /a =-101"},
    {.name = "create-twice",
     .what = "the second create of a path fails",
     .gateways = 1,
     .small = true,
     .script = "1 create /a x =0\n"
               "1 create /a y =-110\n"
               "1 get /a =0"},
    {.name = "create-no-parent",
     .what = "a node without a parent is refused",
     .gateways = 1,
     .script = "1 create /a/b x =-101\n"
               "1 create /a x =0\n"
               "1 create /a/b y =0\n"
               "1 ls /a =0"},
    {.name = "delete-not-empty",
     .what = "a node with children stays",
     .gateways = 1,
     .script = "1 create /a x =0\n"
               "1 create /a/b y =0\n"
               "1 delete /a =-111\n"
               "1 delete /a/b =0\n"
               "1 delete /a =0\n"
               "1 ls2 / =0"},
    {.name = "set-version",
     .what = "versions are compared",
     .gateways = 1,
     .small = true,
     .script = "1 create /a x =0\n"
               "1 set /a y 0 =0\n"
               "1 set /a z 0 =-103\n"
               "1 delete /a 0 =-103\n"
               "1 delete /a 1 =0"},
    {.name = "create-again",
     .what = "a path lives twice",
     .gateways = 1,
     .script = "1 create /a x =0\n"
               "1 delete /a =0\n"
               "1 create /a y =0\n"
               "1 get /a =0\n"
               "1 ls2 / =0"},
    {.name = "create2",
     .what = "create2 tells the stat",
     .gateways = 1,
     .script = "1 create2 /a x =0\n"
               "1 create2 /a/b y e =0\n"
               "1 ls2 /a =0"},
    {.name = "pipeline-writes",
     .what = "writes of one session keep their order",
     .gateways = 1,
     .small = true,
     .script = "1& create /a x =0\n"
               "1& set /a y1 =0\n"
               "1& set /a y2 =0\n"
               "1& set /a y3 =0\n"
               "1 wait\n"
               "1 get /a =0"},
    {.name = "pipeline-many",
     .what = "more writes at once than a session record keeps results",
     .gateways = 1,
     .script = "1 create /a x =0\n"
               "1& set /a y1 =0\n"
               "1& set /a y2 =0\n"
               "1& set /a y3 =0\n"
               "1& set /a y4 =0\n"
               "1& set /a y5 =0\n"
               "1& set /a y6 =0\n"
               "1& set /a y7 =0\n"
               "1& set /a y8 =0\n"
               "1& set /a y9 =0\n"
               "1 wait\n"
               "1 get /a =0"},
    {.name = "pipeline-mixed",
     .what = "reads between writes see those before them",
     .gateways = 1,
     .small = true,
     .script = "1& create /a x =0\n"
               "1& get /a =0\n"
               "1& set /a y =0\n"
               "1& get /a =0\n"
               "1& delete /a =0\n"
               "1& exists /a =-101\n"
               "1 wait"},
    {.name = "pipeline-errors",
     .what = "errors between successes keep their places",
     .gateways = 1,
     .script = "1& create /a x =0\n"
               "1& create /a y =-110\n"
               "1& delete /b =-101\n"
               "1& set /a z =0\n"
               "1& set /a w 7 =-103\n"
               "1 wait\n"
               "1 get /a =0"},
    {.name = "sequential",
     .what = "names grow",
     .gateways = 1,
     .script = "1 create /s x =0\n"
               "1 create /s/n- a s =0\n"
               "1 create /s/n- b s =0\n"
               "1 delete /s/n-0000000000 =0\n"
               "1 create /s/n- c s =0\n"
               "1 ls /s =0"},
    {.name = "sequential-two",
     .what = "two sessions share a counter",
     .gateways = 2,
     .race = true,
     .script = "1 create /s x =0\n"
               "1& create /s/n- a s =0\n"
               "2& create /s/n- b es =0\n"
               "1& create /s/n- c s =0\n"
               "2& create /s/n- d s =0\n"
               "1 wait\n"
               "2 wait\n"
               "1 ls /s =0"},
    {.name = "two-gateways",
     .what = "what one gateway's client wrote another's reads",
     .gateways = 2,
     .small = true,
     .script = "1 create /a x =0\n"
               "2 sync /a =0\n"
               "2 get /a =0\n"
               "2 set /a y =0\n"
               "1 sync /a =0\n"
               "1 get /a =0"},
    {.name = "two-writers",
     .what = "two sessions write one node",
     .gateways = 2,
     .race = true,
     .script = "1 create /a x =0\n"
               "1& set /a y1 =0\n"
               "2& set /a z1 =0\n"
               "1& set /a y2 =0\n"
               "2& set /a z2 =0\n"
               "1 wait\n"
               "2 wait\n"
               "1 get /a =0"},
    {.name = "two-creators",
     .what = "one of two creates wins",
     .gateways = 2,
     .small = true,
     .race = true,
     .script = "1& create /a x\n"
               "2& create /a y\n"
               "1 wait\n"
               "2 wait\n"
               "1 get /a =0\n"
               "2 get /a =0"},
    {.name = "write-and-read",
     .what = "a reader beside a writer",
     .gateways = 2,
     .race = true,
     .script = "1 create /a x =0\n"
               "1 create /b x =0\n"
               "1& set /a y =0\n"
               "1& set /b y =0\n"
               "2& get /b\n"
               "2& get /a\n"
               "2& get /b\n"
               "1 wait\n"
               "2 wait"},
    {.name = "create-and-delete",
     .what = "a parent is deleted while a child is created",
     .gateways = 2,
     .race = true,
     .script = "1 create /a x =0\n"
               "1& create /a/b y\n"
               "2& delete /a\n"
               "1 wait\n"
               "2 wait\n"
               "1 exists /a\n"
               "1 exists /a/b"},
    {.name = "sync",
     .what = "sync, then read what another one wrote",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "2& sync /a =0\n"
               "2& get /a =0\n"
               "1 set /a y =0\n"
               "2 wait\n"
               "2 sync /a =0\n"
               "2 get /a =0"},
    {.name = "multi",
     .what = "operations that belong together",
     .gateways = 1,
     .small = true,
     .script = "1 create /a x =0\n"
               "1 multi create:/a/b:y set:/a:z check:/a:1 delete:/a/b =0\n"
               "1 get /a =0\n"
               "1 ls2 /a =0"},
    {.name = "multi-fails",
     .what = "one failing operation, no effect at all",
     .gateways = 1,
     .script = "1 create /a x =0\n"
               "1 multi set:/a:y create:/a/b:z check:/a:0 delete:/c =0\n"
               "1 get /a =0\n"
               "1 ls /a =0"},
    {.name = "multi-watch",
     .what = "a multi fires several watches",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "1 create /b x =0\n"
               "1 get /a w =0\n"
               "1 get /b w =0\n"
               "1 ls / w =0\n"
               "2 multi set:/a:y delete:/b create:/c:z =0\n"
               "1 events 3\n"
               "1 get /a =0"},
    {.name = "multi-too-large",
     .what = "a multi larger than a transaction is refused, for good",
     .gateways = 1,
     .items = 8,
     .script = "1 create /a x =0\n"
               "1 multi create:/a/1:x create:/a/2:x create:/a/3:x create:/a/4:x create:/a/5:x create:/a/6:x "
               "create:/a/7:x create:/a/8:x\n"
               "1 ls /a =0\n"
               "1 create /a/9 y =0"},
    {.name = "bank",
     .what = "two movers of money",
     .gateways = 2,
     .race = true,
     .script = "1 create /p 100 =0\n"
               "1 create /q 100 =0\n"
               "1& multi check:/p:0 set:/p:90 set:/q:110\n"
               "2& multi check:/q:0 set:/p:120 set:/q:80\n"
               "1 wait\n"
               "2 wait\n"
               "1 get /p =0\n"
               "1 get /q =0"},
    {.name = "acl",
     .what = "who may not read does not",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "1 auth alice:1\n"
               "1 setacl /a 31 alice:1 =0\n"
               "1 get /a =0\n"
               "2 get /a =-102\n"
               "2 set /a y =-102\n"
               "2 auth alice:1\n"
               "2 get /a =0\n"
               "2 getacl /a =0"},
    {.name = "acl-watch",
     .what = "an event does not tell of a node that may not be read",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "2 get /a w =0\n"
               "1 auth alice:1\n"
               "1 setacl /a 31 alice:1 =0\n"
               "1 set /a y =0\n"
               "1 getacl /a =0\n"
               "2 exists /a"},
    {.name = "acl-reconnect",
     .what = "identities go with the connection",
     .gateways = 2,
     .script = "1 auth bob:2\n"
               "1 create /a x =0\n"
               "1 setacl /a 31 bob:2 =0\n"
               "1 move 1\n"
               "1 get /a =0\n"
               "1 set /a y =0"},
    {.name = "data-item",
     .what = "data in an item of its own",
     .gateways = 1,
     .small = true,
     .script = "1 create /a x =0\n"
               "1 big /a 100 =0\n"
               "1 get /a =0\n"
               "1 big /a 200 =0\n"
               "1 get /a =0\n"
               "1 set /a y =0\n"
               "1 get /a =0"},
    {.name = "data-blob",
     .what = "data in a blob",
     .gateways = 1,
     .script = "1 create /a x =0\n"
               "1 big /a 300 =0\n"
               "1 get /a =0\n"
               "1 big /a 3000 =0\n"
               "1 get /a =0\n"
               "1 delete /a =0\n"
               "1 exists /a =-101"},
    {.name = "data-read",
     .what = "data is replaced while it is read",
     .gateways = 2,
     .race = true,
     .script = "1 create /a x =0\n"
               "1 big /a 3000 =0\n"
               "2& get /a =0\n"
               "1& big /a 2000 =0\n"
               "2& get /a =0\n"
               "1& big /a 100 =0\n"
               "2& get /a =0\n"
               "1 wait\n"
               "2 wait"},
    {.name = "large-frames",
     .what = "megabytes in one request",
     .gateways = 1,
     .script = "1 create /a x =0\n"
               "1 big /a 900000 =0\n"
               "1 get /a =0"},
    {.name = "persistent",
     .what = "a persistent watch stays",
     .gateways = 2,
     .wide = true,
     .script = "1 create /a x =0\n"
               "1 watch /a 0 =0\n"
               "2 set /a y =0\n"
               "2 create /a/b z =0\n"
               "1 events 2\n"
               "2 set /a w =0\n"
               "1 events 3\n"
               "1 get /a =0"},
    {.name = "recursive",
     .what = "a recursive watch hears all below it",
     .gateways = 2,
     .wide = true,
     .script = "1 create /a x =0\n"
               "1 watch /a 1 =0\n"
               "2 create /a/b y =0\n"
               "2 create /a/b/c z =0\n"
               "2 set /a/b/c w =0\n"
               "2 delete /a/b/c =0\n"
               "1 events 4\n"
               "1 get /a =0"},
    {.name = "recursive-race",
     .what = "a recursive watch is set while a node below is created",
     .gateways = 2,
     .race = true,
     .wide = true,
     .script = "1 create /a x =0\n"
               "1& watch /a 1 =0\n"
               "2& create /a/b y =0\n"
               "1 wait\n"
               "2 wait\n"
               "2 set /a/b z =0\n"
               "1 sync / =0\n"
               "1 get /a/b =0"},
    {.name = "recursive-reconnect",
     .what = "persistent watches go along",
     .gateways = 2,
     .wide = true,
     .script = "1 create /a x =0\n"
               "1 watch /a 1 =0\n"
               "1 watch /a 0 =0\n"
               "1 move 1\n"
               "1 get /a =0\n"
               "2 set /a y =0\n"
               "1 events 1\n"
               "1 get /a =0"},
    {.name = "container",
     .what = "an empty container goes by itself",
     .gateways = 1,
     .wide = true,
     .script = "1 create /c x c =0\n"
               "1 create /c/a y =0\n"
               "1 delete /c/a =0\n"
               "0 sleep 90000\n"
               "1 exists /c"},
    {.name = "ttl",
     .what = "a node that nobody touches goes by itself",
     .gateways = 1,
     .wide = true,
     .script = "1 ttl /t x 3000 =0\n"
               "1 exists /t w =0\n"
               "0 sleep 90000\n"
               "1 exists /t"},
    {.name = "ttl-touched",
     .what = "a node that was set is not due",
     .gateways = 1,
     .wide = true,
     .script = "1 ttl /t x 100000 =0\n"
               "1 set /t y =0\n"
               "0 sleep 30000\n"
               "1 get /t =0"},
    {.name = "lock",
     .what = "two sessions in a line",
     .gateways = 2,
     .script = "1 create /l x =0\n"
               "1 create /l/n- a es =0\n"
               "2 create /l/n- b es =0\n"
               "2 exists /l/n-0000000000 w =0\n"
               "1 delete /l/n-0000000000 =0\n"
               "2 events 1\n"
               "2 ls /l =0\n"
               "2 delete /l/n-0000000001 =0"},
    {.name = "queue",
     .what = "a producer and a consumer",
     .gateways = 2,
     .script = "1 create /q x =0\n"
               "2 ls /q w =0\n"
               "1 create /q/n- a s =0\n"
               "2 events 1\n"
               "2 ls /q =0\n"
               "2 get /q/n-0000000000 =0\n"
               "2 delete /q/n-0000000000 =0\n"
               "1 create /q/n- b s =0\n"
               "2 ls /q =0"},
};
const size_t SIM_SCENARIOS_NODES_COUNT = sizeof SIM_SCENARIOS_NODES / sizeof *SIM_SCENARIOS_NODES;
