-- daily_window: boots only at certain hours; a boot at another time waits until they begin.
--
--	"hooks": [{ "use": "daily_window", "from": "22:00", "to": "06:00" }]
--
--	from  when the window opens, local time, required
--	to    when it closes, required; before `from`, it closes on the next day
--
-- It holds for every boot, the first one too, whoever decided on it.  A VM that runs when the
-- window closes goes on running.  A stop request ends the wait.  The host's clock is looked at
-- every few minutes, so that it may be set, and summer time may begin.
if not os then
	return nil, "it asks os.date for the time, which --sandbox takes away"
end

local DAY = 86400
local LOOK = 300 -- seconds between two looks at the clock

-- Kind of an option: "HH:MM", as seconds since midnight.
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
		length = DAY -- from midnight to midnight is all day
	end

	-- Seconds until the window opens; 0 while it is open.
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
