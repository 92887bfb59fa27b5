-- daily_window: boots only during a daily window; a boot outside it waits until the window opens.
--
--	"hooks": [{ "use": "daily_window", "from": "22:00", "to": "06:00" }]
--
--	from  the local time at which the window opens, required
--	to    the local time at which it closes, required; if earlier than `from`, on the next day
--
-- The window applies to every boot, including the first.  A VM that runs when the window closes
-- goes on running.  A stop request ends the wait.  The hook reads the host's clock every 5 minutes,
-- so that it follows a change of the clock or of summer time.
if not os then
	return nil, "it needs os.date, which does not exist with --sandbox"
end

local DAY = 86400
local LOOK = 300 -- seconds between two reads of the clock

-- Returns "HH:MM" as seconds since midnight, or nil and what was expected: the kind of an option.
local function time_of_day(value)
	local hours, minutes = tostring(value):match("^(%d%d):(%d%d)$")
	if hours and hours < "24" and minutes < "60" then
		return hours * 3600 + minutes * 60
	end
	return nil, 'a time of day, "HH:MM"'
end

return function(options)
	options = vmrun.options(options, {
		from = { time_of_day, required = true },
		to = { time_of_day, required = true },
	})
	local length = (options.to - options.from) % DAY
	if length == 0 then
		length = DAY -- equal times are a window of the whole day
	end

	-- Returns the seconds until the window opens; 0 while it is open.
	local function seconds_to_wait()
		local now = os.date("*t")
		local since = (now.hour * 3600 + now.min * 60 + now.sec - options.from) % DAY
		return since < length and 0 or DAY - since
	end

	local hooks = {}

	function hooks.on_start(boot)
		local wait = seconds_to_wait()
		if wait > 0 then
			vmrun.log("info", ("%s waits until %02d:%02d"):format(boot.vm,
				options.from // 3600, options.from // 60 % 60))
		end
		while wait > 0 do
			vmrun.sleep(math.min(wait, LOOK))
			wait = seconds_to_wait()
		end
	end

	return hooks
end
