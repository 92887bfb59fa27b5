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

-- Returns a read-only view of `content`.  `what` names the view in errors.  With `members`, a set of
-- names, a name that is neither in the set nor in the content raises an error: it is a typo.  `late`
-- has functions that make members when they are first read.
local function readonly(content, what, members, late)
	for key, value in next, content do
		if type(value) == "table" and getmetatable(value) ~= false then
			content[key] = readonly(value, what)
		end
	end

	local function member(key)
		local value = content[key]
		if value == nil and late and late[key] then
			value = late[key]()
			content[key] = value
		end
		return value
	end

	-- Returns the content with all members.
	local function whole()
		for key in next, late or {} do
			member(key)
		end
		return content
	end

	return setmetatable({}, {
		[content_key] = whole, -- for copies into C
		__index = function(_, key)
			local value = member(key)
			if value == nil and members and type(key) == "string"
				and not members[key] then
				no_member(content, what, members, key)
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
			local all = whole()
			return function(_, key)
				return next(all, key)
			end, view, nil
		end,
		__metatable = false,
	})
end

return readonly
