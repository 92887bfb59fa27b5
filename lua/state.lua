-- vmrun.state, as vmrunctl changes it.
local native = ...
local next, type = next, type
local format = string.format

local state = {}

-- Drops what a stock hook keeps under its name; answers why it cannot, or nothing.  An empty table
-- takes its place where the hook would else find what an older version has kept.
function state.forget_state(request)
	local kept, name = native.state(), request.name
	local before = kept[name]
	local is_old = kept[request.older] ~= nil
	if before == nil and not is_old or type(before) == "table" and next(before) == nil then
		return format("%s has kept nothing: there is nothing to forget", name)
	end
	kept[name] = is_old and {} or nil
	local ok, why = native.save()
	if not ok then
		kept[name] = before
		return why
	end
end

return state
