-- wrk -s verify.lua URL -- CODE: posts one card's code to be judged, again and again.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

function init(arguments)
  wrk.body = '{"code":"' .. arguments[1] .. '"}'
end
