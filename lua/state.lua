-- Changes vmrun.state for vmrunctl.
local native = ...
local next, type = next, type
local format = string.format

local state = {}

-- Removes the state of a stock hook; returns the error if there is one.  An empty table replaces
-- the state where the hook would otherwise find the state that an older version has kept.
function state.forget_state(request)
	local kept, name = native.state(), request.name
	local before = kept[name]
	local is_old = kept[request.older] ~= nil
	if before == nil and not is_old or type(before) == "table" and next(before) == nil then
		return format("%s has no saved state to forget", name)
	end
	kept[name] = is_old and {} or nil
	local ok, why = native.save()
	if not ok then
		kept[name] = before
		return why
	end
end

return state
