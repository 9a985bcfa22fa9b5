-- loop_at_load_caught: It loops while it is loaded, and catches what would stop it.
while true do pcall(function() while true do end end) end
