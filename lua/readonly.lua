-- Read-only views of tables and of the tables in them.  A view itself is empty, so that no function
-- of Lua or of a library in C reaches what it shows: its metatable does.  The views of one kind
-- share a metatable.
local native = ...
local import = native.import
local raise, content_key = native.raise, native.content_key
local next, setmetatable, type = next, setmetatable, type
local format = string.format

local readonly = {}

local contents = setmetatable({}, { __mode = "k" }) -- view -> the table that it shows
local given = setmetatable({}, { __mode = "k" }) -- view -> what its late members are made of

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

-- Returns a kind of views.  `what` names it in errors.  With `members`, a set of names, a name that is
-- neither in the set nor in the content raises an error: it is a typo.  `late` has functions that
-- make members when they are first read, from what readonly.late() was given.
function readonly.kind(what, members, late)
	local function member(view, key)
		local content = contents[view]
		local value = content[key]
		if value == nil and late and late[key] then
			value = late[key](given[view])
			content[key] = value
		end
		return value
	end

	-- Returns the content with all members.
	local function whole(view)
		for key in next, late or {} do
			member(view, key)
		end
		return contents[view]
	end

	local kind = {
		[content_key] = whole, -- for copies into C
		__index = function(view, key)
			local value = member(view, key)
			if value == nil and members and type(key) == "string"
				and not members[key] then
				no_member(contents[view], what, members, key)
			end
			return value
		end,
		__newindex = function()
			raise(what .. " is read-only")
		end,
		__len = function(view)
			return #contents[view]
		end,
		__pairs = function(view)
			local all = whole(view)
			return function(_, key)
				return next(all, key)
			end, view, nil
		end,
		__metatable = false,
	}
	kind.inner = members and readonly.kind(what) or kind -- of the tables in the content
	return kind
end

-- Returns a view of a table without tables in it.
function readonly.flat(content, kind)
	local view = setmetatable({}, kind)
	contents[view] = content
	return view
end

-- Returns such a view of a kind with late members, which are made of `past`.
function readonly.late(content, kind, past)
	local view = readonly.flat(content, kind)
	given[view] = past
	return view
end

-- Returns a view of any table; the tables in it become views, too.
function readonly.view(content, kind)
	for key, value in next, content do
		if type(value) == "table" and not contents[value] then
			content[key] = readonly.view(value, kind.inner)
		end
	end
	return readonly.flat(content, kind)
end

return readonly
