-- loop_at_load: It never gets as far as defining anything.
while true do end
