-- Read-only views of tables and of the tables in them.
local native = ...
local raise = native.raise
local getmetatable, next, setmetatable, type = getmetatable, next, setmetatable, type

-- Returns a read-only view of `content`.  `what` names the view in the error of a write; `default`
-- is the value of a missing key.
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
