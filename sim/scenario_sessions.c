// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario_internal.h"

const struct sim_scenario SIM_SCENARIOS_SESSIONS[] = {
    {.name = "ephemeral-close",
     .what = "ephemeral nodes go with their session",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "2 exists /a w =0\n"
               "1 close =0\n"
               "2 events 1\n"
               "2 exists /a =-101"},
    {.name = "ephemeral-expire",
     .what = "a silent session ends",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "2 exists /a w =0\n"
               "1 freeze\n"
               "2 events 1\n"
               "2 exists /a =-101\n"
               "1 thaw\n"
               "1 expired"},
    {.name = "ephemeral-children",
     .what = "ephemeral nodes have no children",
     .gateways = 1,
     .script = "1 create /a x e =0\n"
               "1 create /a/b y =-108\n"
               "1 delete /a =0"},
    {.name = "close-chunks",
     .what = "a session with more nodes than a transaction takes ends in pieces",
     .gateways = 1,
     .items = 8,
     .script = "1 create /e x =0\n"
               "1 many /e/n 14\n"
               "1 close =0\n"
               "2 ls /e =0\n"
               "2 ls2 / =0"},
    {.name = "expire-chunks",
     .what = "the same, by expiry",
     .gateways = 2,
     .items = 8,
     .script = "1 create /e x =0\n"
               "1 many /e/n 12\n"
               "2 ls /e w =0\n"
               "1 forget\n"
               "0 sleep 20000\n"
               "2 ls /e =0"},
    {.name = "close-pipelined",
     .what = "writes before closeSession are done, ephemerals go",
     .gateways = 1,
     .script = "1& create /a x =0\n"
               "1& create /a/e y e =0\n"
               "1& set /a z =0\n"
               "1& close =0\n"
               "1 wait\n"
               "2 get /a =0\n"
               "2 ls /a =0"},
    {.name = "watch-data",
     .what = "a data watch fires once",
     .gateways = 1,
     .small = true,
     .script = "1 create /a x =0\n"
               "1 get /a w =0\n"
               "2 set /a y =0\n"
               "1 events 1\n"
               "2 set /a z =0\n"
               "1 get /a =0"},
    {.name = "watch-exists",
     .what = "a watch on what does not exist",
     .gateways = 2,
     .small = true,
     .script = "1 exists /a w =-101\n"
               "2 create /a x =0\n"
               "1 events 1\n"
               "1 get /a =0"},
    {.name = "watch-children",
     .what = "a child watch",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "1 ls /a w =0\n"
               "2 create /a/b y =0\n"
               "1 events 1\n"
               "1 ls /a =0"},
    {.name = "watch-delete",
     .what = "a deleted node fires data and child watches",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "1 get /a w =0\n"
               "1 ls /a w =0\n"
               "2 delete /a =0\n"
               "1 events 1\n"
               "1 exists /a =-101"},
    {.name = "watch-held",
     .what = "what an event tells of is not read before the event",
     .gateways = 2,
     .small = true,
     .race = true,
     .script = "1 create /a x =0\n"
               "1 create /b x =0\n"
               "1 get /a w =0\n"
               "2& set /a y =0\n"
               "2& set /b z =0\n"
               "2 wait\n"
               "1 get /b =0\n"
               "1 get /a =0"},
    {.name = "watch-own-write",
     .what = "the own write fires the own watch, before its reply or behind it as zxids say",
     .gateways = 1,
     .script = "1 create /a x =0\n"
               "1 get /a w =0\n"
               "1 set /a y =0\n"
               "1 get /a =0"},
    {.name = "watch-in-flight",
     .what = "a watch and a change at once",
     .gateways = 2,
     .race = true,
     .script = "1 create /a x =0\n"
               "1& get /a w =0\n"
               "2& set /a y =0\n"
               "1 wait\n"
               "2 wait\n"
               "1 sync / =0\n"
               "1 get /a =0"},
    {.name = "watch-twice",
     .what = "a watch set twice fires once",
     .gateways = 1,
     .script = "1 create /a x =0\n"
               "1 get /a w =0\n"
               "1 get /a w =0\n"
               "2 set /a y =0\n"
               "1 events 1\n"
               "1 get /a =0"},
    {.name = "watch-two-gateways",
     .what = "watches of two gateways on one path",
     .gateways = 3,
     .script = "1 create /a x =0\n"
               "1 get /a w =0\n"
               "2 get /a w =0\n"
               "3 set /a y =0\n"
               "1 events 1\n"
               "2 events 1\n"
               "1 get /a =0\n"
               "2 get /a =0"},
    {.name = "watch-again",
     .what = "a watch set again after each event",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "1 get /a w =0\n"
               "2 set /a y =0\n"
               "1 events 1\n"
               "1 get /a w =0\n"
               "2 set /a z =0\n"
               "1 events 2\n"
               "1 get /a =0"},
    {.name = "watch-create-delete",
     .what = "created, deleted, created: the watch tells once",
     .gateways = 2,
     .script = "1 exists /a w =-101\n"
               "2 create /a x =0\n"
               "1 events 1\n"
               "1 exists /a w =0\n"
               "2 delete /a =0\n"
               "1 events 2\n"
               "1 exists /a w =-101\n"
               "2 create /a y =0\n"
               "1 events 3"},
    {.name = "reconnect",
     .what = "a session goes on after its connection broke",
     .gateways = 1,
     .small = true,
     .script = "1 create /a x e =0\n"
               "1 reset\n"
               "1 get /a =0\n"
               "1 set /a y =0"},
    {.name = "reconnect-other",
     .what = "a session goes on at another gateway",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "1 move 1\n"
               "1 get /a =0\n"
               "1 set /a y =0\n"
               "1 move 0\n"
               "1 get /a =0"},
    {.name = "reconnect-missed",
     .what = "a change while away is told by setWatches",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "1 get /a w =0\n"
               "1 ls / w =0\n"
               "1 exists /b w =-101\n"
               "1 leave\n"
               "2 set /a y =0\n"
               "2 create /b z =0\n"
               "1 back 1\n"
               "1 events 3\n"
               "1 get /a =0"},
    {.name = "reconnect-unchanged",
     .what = "a watch survives the reconnection",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "1 get /a w =0\n"
               "1 move 1\n"
               "1 exists /c =-101\n"
               "2 set /a y =0\n"
               "1 events 1\n"
               "1 get /a =0"},
    {.name = "reconnect-deleted",
     .what = "a deleted node is told by setWatches",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "1 get /a w =0\n"
               "1 ls /a w =0\n"
               "1 leave\n"
               "2 delete /a =0\n"
               "1 back 1\n"
               "1 events 1\n"
               "1 exists /a =-101"},
    {.name = "reconnect-in-flight",
     .what = "a connection breaks under a write",
     .gateways = 2,
     .small = true,
     .script = "1 create /a x =0\n"
               "1& set /a y\n"
               "1 reset\n"
               "1 get /a =0"},
    {.name = "reconnect-pipelined",
     .what = "a connection breaks under many writes",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "1& set /a y1\n"
               "1& set /a y2\n"
               "1& create /a/b z1\n"
               "1& set /a y3\n"
               "1 move 1\n"
               "1 get /a =0\n"
               "1 ls /a =0"},
    {.name = "takeover",
     .what = "a second process takes the session",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "2 takeover 1\n"
               "2 set /a y =0\n"
               "1 leave\n"
               "2 get /a =0"},
    {.name = "takeover-in-flight",
     .what = "a session is taken over under a write",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "1& set /a y1\n"
               "1& set /a y2\n"
               "2 takeover 1\n"
               "2 get /a =0\n"
               "2 set /a z =0\n"
               "1 leave\n"
               "2 get /a =0"},
    {.name = "takeover-back",
     .what = "the session goes back and forth",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "2 takeover 1\n"
               "2 set /a y =0\n"
               "2 leave\n"
               "1 get /a =0\n"
               "1 set /a z =0"},
    {.name = "takeover-watch",
     .what = "a watch stays with the process that set it",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "1 get /a w =0\n"
               "2 takeover 1\n"
               "3 set /a y =0\n"
               "2 get /a =0\n"
               "2 leave\n"
               "1 get /a =0"},
    {.name = "gateway-crash",
     .what = "a gateway dies, its sessions move",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "1 get /a w =0\n"
               "0 crash 0\n"
               "1 get /a =0\n"
               "2 set /a y =0\n"
               "1 events 1\n"
               "1 get /a =0"},
    {.name = "gateway-vanish",
     .what = "a gateway's machine is gone without a word",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "0 vanish 0\n"
               "1 get /a =0\n"
               "1 set /a y =0"},
    {.name = "gateway-retire",
     .what = "a gateway hands over while its clients are at work, its sessions move",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "1 get /a w =0\n"
               "1& set /a y\n"
               "1& set /a z\n"
               "0 retire 0\n"
               "1 get /a =0\n"
               "2 set /a v =0\n"
               "1 get /a =0"},
    {.name = "gateway-retire-expire",
     .what = "a gateway hands over, and one client does not come back",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "2 exists /a w =0\n"
               "1 forget\n"
               "0 retire 0\n"
               "2 events 1\n"
               "2 exists /a =-101"},
    {.name = "gateway-dead",
     .what = "a gateway stands still and is declared dead",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "1 get /a w =0\n"
               "0 suspend 0 60000\n"
               "2 set /a y =0\n"
               "2 get /a =0\n"
               "0 sleep 70000\n"
               "1 get /a =0\n"
               "2 set /a z =0"},
    {.name = "gateway-crash-write",
     .what = "a gateway dies under a write",
     .gateways = 2,
     .script = "1 create /a x =0\n"
               "1& set /a y\n"
               "0 crash 0\n"
               "1 get /a =0\n"
               "2 get /a =0"},
    {.name = "owner-crash-expire",
     .what = "nobody comes back for the sessions of a dead gateway",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "1 forget\n"
               "0 vanish 0\n"
               "0 sleep 60000\n"
               "2 exists /a"},
    {.name = "expired-reconnect",
     .what = "a session that is over cannot be taken up",
     .gateways = 1,
     .script = "1 create /a x e =0\n"
               "1 leave\n"
               "0 sleep 20000\n"
               "1 back\n"
               "1 expired\n"
               "1 exists /a =-101"},
    {.name = "session-churn",
     .what = "sessions come and go",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "1 close =0\n"
               "1 create /a y e =0\n"
               "1 close =0\n"
               "1 create /a z e =0\n"
               "2 get /a =0"},
    {.name = "close-in-flight",
     .what = "the connection breaks under closeSession",
     .gateways = 2,
     .script = "1 create /a x e =0\n"
               "1& close\n"
               "1 reset\n"
               "0 sleep 20000\n"
               "2 exists /a"},
};
const size_t SIM_SCENARIOS_SESSIONS_COUNT = sizeof SIM_SCENARIOS_SESSIONS / sizeof *SIM_SCENARIOS_SESSIONS;
