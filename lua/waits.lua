-- Waits of scripts for C, and what they answer in a dry run, which takes no time.
local native = ...
local import = native.import
local session, world = import "session", import "world"
local raise = native.raise
local error, pcall, type = error, pcall, type
local format = string.format

local waits = {}

local YEAR = 86400 * 366
local MAX_DRY_WAITS = 1000 -- of one call

-- The hooks that may go on for as long as the boot lasts.
local lasts = { on_started = true, on_ready = true, run = true }

-- Raises an error unless a value is a number of seconds from 0 to a year.
function waits.check_seconds(what, value)
	if type(value) ~= "number" or not (value >= 0 and value <= YEAR) then
		raise(format("%s is a number of seconds from 0 to %d", what, YEAR))
	end
end

-- Raises an error outside of hooks: a file that is read has no VM yet.
function waits.check_hook(what)
	if not session.hook then
		raise(what .. ": only in a hook, while a VM runs")
	end
end

-- Raises an error where Lua cannot wait.
local function check_place(name)
	if not native.can_wait() then
		raise(format("vmrun.%s: Lua cannot wait here: it is inside a library function that "
			.. "calls back (table.sort, string.gsub, require)", name))
	end
end

-- Suspends the hook until C answers, so that the supervisor goes on meanwhile.  Other calls may run
-- in this time, so that what the session knows of this call is kept here.
local function suspend(request)
	local hook, here, label, count = session.hook, session.here, session.label, session.waits
	local of_operator = session.of_operator
	local ok, answer = pcall(native.wait, request)
	session.hook, session.here, session.label, session.waits = hook, here, label, count
	session.of_operator = of_operator
	world.use(of_operator)
	if not ok then
		error(answer, 0)
	end
	return answer or {}
end

-- Counts a wait of a dry run: a script that waits for a change that never comes would wait for ever.
-- Returns the answer when there were too many of a function that may last as long as the boot: it
-- sleeps until the boot's end.  Any other function fails.
local function count(name)
	session.waits = session.waits + 1
	if session.waits <= MAX_DRY_WAITS then
		return nil
	elseif lasts[session.hook] then
		suspend { sleep = YEAR }
		return { message = "gone" }
	end
	raise(format("vmrun.%s: this call has waited %d times where nothing is started "
		.. "(vmrun.dry_run): limit the loop there", name, MAX_DRY_WAITS))
end

-- Returns the answer of C to a request.
function waits.wait(name, request)
	check_place(name)
	return native.dry_run and count(name) or suspend(request)
end

-- Returns the answer of C to a request, or `answer` in a dry run, which sends no request.
function waits.ask(name, request, answer)
	check_place(name)
	if native.dry_run then
		return count(name) or answer
	end
	return suspend(request)
end

return waits
