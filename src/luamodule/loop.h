/* Waiting for descriptors, limits in seconds, and signals. */
#ifndef LUAMODULE_LOOP_H
#define LUAMODULE_LOOP_H

#include <poll.h>
#include <stddef.h>

#include <lua.h>

/*
 * Waits for descriptors.  A signal ends the wait, also one that came before while no instruction
 * of Lua ran, and this function raises what the interpreter makes of it.
 */
void loop_poll(lua_State *L, struct pollfd *ready, size_t count, int ms);
/*
 * Returns an argument in seconds, at most 2,000,000, as milliseconds for poll(2); without one
 * returns `otherwise`.  A negative number is 0, because programs pass "deadline - now", which must
 * not wait for ever once the deadline has passed.
 */
int loop_limit_ms(lua_State *L, int argument, int otherwise);
/* Returns the time that is left, in milliseconds, 0 or more, of a limit that began at that time. */
int loop_left_ms(lua_Number began, int limit_ms);
/* Returns the seconds of the monotonic clock. */
lua_Number loop_now(void);
/* vm:run(), vmrun.wait() and vmrun.catch() */
int loop_run(lua_State *L);
int loop_wait(lua_State *L);
int loop_catch(lua_State *L);
/* Gives the caught signals back to those that handled them before. */
int loop_release(lua_State *L);

#endif
