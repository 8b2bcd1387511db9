/// The script by which a server adds to what a key has used of its rate (the generic cell rate algorithm, ITU-T I.371): it keeps
/// the theoretical arrival time by its own clock, in microseconds since 1970, as long as that lies ahead.
package enum RateScript {
    /// KEYS[1]: the key. ARGV[1]: what is used of its time, or given back. ARGV[2]: how far ahead it may come to lie. The reply is how
    /// far it lies ahead. All in microseconds. The time of the server is read in the script, so that clients' clocks need not agree.
    package static var text: StaticString {
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local arrival = tonumber(redis.call('GET', KEYS[1])) or 0
        if not (arrival > now) then arrival = now end
        arrival = math.min(arrival + ARGV[1], now + ARGV[2])
        if arrival <= now then
          redis.call('DEL', KEYS[1])
          return 0
        end
        local left = math.ceil((arrival - now) / 1000)
        redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', string.format('%.0f', left))
        return arrival - now
        """
    }

    /// The SHA-1 of the text in hexadecimal: servers know a script by it that they have run before.
    package static var digest: StaticString { "619b6667f2c5fcb20a20f4e8b01f6a69f112972e" }

    /// The longest time that a call may name, in microseconds: two years. Lua counts exactly up to there.
    package static var longest: Int64 { 2 * 366 * 86_400_000_000 }

    /// One call.
    package struct Call: Equatable, Sendable {
        /// The first 64 bits of the key's name, which all clients find alike.
        package var high: UInt64
        /// The last 64 bits.
        package var low: UInt64
        /// What is used of its time, in microseconds; below 0: given back.
        package var used: Int64
        /// How far ahead of the server's clock the arrival time may come to lie, in microseconds.
        package var most: Int64
        /// The script goes with it; else its digest does.
        package var isWhole = false

        /// Times beyond `longest` are cut to that.
        package init(high: UInt64, low: UInt64, used: Int64, most: Int64) {
            self.high = high
            self.low = low
            self.used = min(max(used, -RateScript.longest), RateScript.longest)
            self.most = min(max(most, 0), RateScript.longest)
        }
    }
}
