-- A table that can be read like the one behind it, tables in it included, and not be written.
local native = ...
local raise = native.raise
local getmetatable, next, setmetatable, type = getmetatable, next, setmetatable, type

-- `what` names it when somebody writes; `default` stands for what is not there.
local function readonly(content, what, default)
	for key, value in next, content do
		local is_view = getmetatable(value) == false
		if type(value) == "table" and not is_view then
			content[key] = readonly(value, what)
		end
	end
	return setmetatable({}, {
		__index = function(_, key)
			local value = content[key]
			if value == nil then
				return default
			end
			return value
		end,
		__newindex = function()
			raise(what .. " is read-only")
		end,
		__len = function()
			return #content
		end,
		__pairs = function(view)
			return function(_, key)
				return next(content, key)
			end, view, nil
		end,
		__metatable = false,
	})
end

return readonly
