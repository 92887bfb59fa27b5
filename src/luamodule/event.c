/* Events, findings and the state of a VM as Lua tables. */
#include "luamodule/hold.h"
#include "luamodule/members.h"
#include "luamodule/vm.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define EVENT(member, kind)                                         \
	{                                                           \
#member, kind, offsetof(struct vmrun_event, member) \
	}

/* `name` is `event` here, as in the JSON of events. */
static const struct member event_rows[] = {
	{ "event", MEMBER_TEXT, offsetof(struct vmrun_event, name) },
	EVENT(seq, MEMBER_INT64),
	EVENT(vm, MEMBER_TEXT),
	EVENT(target, MEMBER_TEXT),
	EVENT(boot, MEMBER_INT64),
	EVENT(ended, MEMBER_TEXT),
	EVENT(cause, MEMBER_TEXT),
	EVENT(cause_text, MEMBER_TEXT),
	EVENT(action, MEMBER_TEXT),
	EVENT(by, MEMBER_TEXT),
	EVENT(level, MEMBER_TEXT),
	EVENT(text, MEMBER_TEXT),
	EVENT(argv, MEMBER_WORDS),
	EVENT(pid, MEMBER_INT),
	EVENT(problems, MEMBER_INT),
	EVENT(status, MEMBER_INT),
	EVENT(status_text, MEMBER_TEXT),
	EVENT(signal, MEMBER_INT),
	EVENT(exit_status, MEMBER_INT),
	EVENT(uptime_ms, MEMBER_INT64),
	EVENT(delay_ms, MEMBER_INT64),
	EVENT(console, MEMBER_FLAG),
	EVENT(terminal, MEMBER_FLAG),
	EVENT(asks, MEMBER_FLAG),
	EVENT(time_ms, MEMBER_INT64),
	EVENT(lost, MEMBER_INT64),
	EVENT(devices, MEMBER_TEXT),
	EVENT(ended_by, MEMBER_TEXT),
	EVENT(ended_text, MEMBER_TEXT),
	EVENT(failures, MEMBER_INT64),
};

#define STATE(member, kind)                                         \
	{                                                           \
#member, kind, offsetof(struct vmrun_state, member) \
	}

static const struct member state_rows[] = {
	STATE(state, MEMBER_TEXT),
	STATE(target, MEMBER_TEXT),
	STATE(next_target, MEMBER_TEXT),
	STATE(cause, MEMBER_TEXT),
	STATE(boots, MEMBER_INT64),
	STATE(uptime_ms, MEMBER_INT64),
	STATE(wait_ms, MEMBER_INT64),
	STATE(pid, MEMBER_INT),
	STATE(stop_step, MEMBER_INT),
	STATE(stop_action, MEMBER_TEXT),
	STATE(stop_requested, MEMBER_FLAG),
	STATE(devices, MEMBER_TEXT),
	STATE(accel, MEMBER_TEXT),
	STATE(screen, MEMBER_TEXT),
	STATE(console, MEMBER_TEXT),
	STATE(run_dir, MEMBER_TEXT),
	STATE(state_dir, MEMBER_TEXT),
	STATE(waits_for, MEMBER_TEXT),
	STATE(ready, MEMBER_INT),
	STATE(started, MEMBER_FLAG),
	STATE(ready_within_ms, MEMBER_INT64),
	STATE(requested_status, MEMBER_INT),
	STATE(ending, MEMBER_FLAG),
};

#define FINDING(member, kind)                                         \
	{                                                             \
#member, kind, offsetof(struct vmrun_finding, member) \
	}

static const struct member finding_rows[] = {
	FINDING(device, MEMBER_TEXT),
	FINDING(id, MEMBER_TEXT),
	FINDING(slot, MEMBER_TEXT),
	FINDING(device_path, MEMBER_TEXT),
	FINDING(path, MEMBER_TEXT),
	FINDING(what, MEMBER_TEXT),
	FINDING(problem, MEMBER_TEXT),
	FINDING(fix, MEMBER_TEXT),
	FINDING(forced, MEMBER_FLAG),
	FINDING(will_fix, MEMBER_FLAG),
	FINDING(unchecked, MEMBER_FLAG),
	FINDING(advice, MEMBER_FLAG),
	FINDING(made, MEMBER_FLAG),
	FINDING(warning, MEMBER_FLAG),
};

void event_push_next(lua_State *L, struct vmrun *handle)
{
	const struct vmrun_event *event = vmrun_next_event(handle);

	if (event != NULL)
		members_push(L, event_rows, COUNT(event_rows), event);
	else
		lua_pushnil(L);
}

/* Replaces `ready`, a number, by true, false or nil. */
static void set_ready(lua_State *L, int ready)
{
	if (ready < 0)
		lua_pushnil(L);
	else
		lua_pushboolean(L, ready);
	lua_setfield(L, -2, "ready");
}

void event_push_state(lua_State *L, const struct vmrun *handle)
{
	const struct vmrun_state *state = vmrun_get_state(handle);
	int ready = state->ready;

	members_push(L, state_rows, COUNT(state_rows), state);
	set_ready(L, ready);
}

void event_push_findings(lua_State *L, const struct vmrun *handle)
{
	const struct vmrun_finding *finding;
	bool held = hold_begin(L);

	lua_newtable(L);
	for (size_t i = 0; (finding = vmrun_finding(handle, i)) != NULL; i++) {
		members_push(L, finding_rows, COUNT(finding_rows), finding);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	hold_end(L, held);
}
