-- Read-only views of tables and of the tables in them.
local native = ...
local import = native.import
local raise, content_key = native.raise, native.content_key
local getmetatable, next, setmetatable, type = getmetatable, next, setmetatable, type
local format = string.format

-- Raises an error for a name that a view does not have.
local function no_member(content, what, members, key)
	local names = {}
	for _, set in next, { content, members } do
		for name in next, set do
			names[#names + 1] = type(name) == "string" and name or nil
		end
	end
	raise(format('%s has no member "%s"%s', what, key, import("words").hint(key, names)))
end

-- Returns a read-only view of the table that `all` returns.
local function view_of(all, what, members)
	return setmetatable({}, {
		[content_key] = all, -- for copies into C
		__index = function(_, key)
			local value = all()[key]
			if value == nil and members and type(key) == "string"
				and not members[key] then
				no_member(all(), what, members, key)
			end
			return value
		end,
		__newindex = function()
			raise(what .. " is read-only")
		end,
		__len = function()
			return #all()
		end,
		__pairs = function(view)
			return function(_, key)
				return next(all(), key)
			end, view, nil
		end,
		__metatable = false,
	})
end

local readonly = {}

-- Returns a read-only view of `content`.  `what` names the view in errors.  With `members`, a set of
-- names, a name that is neither in the set nor in the content raises an error: it is a typo.
function readonly.view(content, what, members)
	for key, value in next, content do
		if type(value) == "table" and getmetatable(value) ~= false then
			content[key] = readonly.view(value, what)
		end
	end
	return view_of(function()
		return content
	end, what, members)
end

-- Returns a read-only view of the table that `make` makes when the view is first used; the table
-- has no tables in it.
function readonly.lazy(make, what, members)
	local content
	return view_of(function()
		content = content or make()
		return content
	end, what, members)
end

return readonly
