import TLS

/// The secret of TLS session tickets, which changes every 12 hours and leads to no earlier one: whoever gets hold of it
/// can open the tickets of its period and of later ones, but none of before.
///
/// The next secret follows from the present one (a hash ratchet), so Berths that began with the same secret have the
/// same ones for ever, without a word to each other.
package struct TicketRatchet: Equatable, Sendable, CustomStringConvertible {
    /// Bytes of a secret.
    package static var bytes: Int { 32 }
    /// The time a secret is used, in seconds: the period of the keys that are derived from it.
    static var periodSeconds: Int64 { 43_200 }
    /// Steps that are made at once, at most: sixty years.
    private static var maximumSteps: Int64 { 43_800 }

    /// Periods since 1970.
    let period: Int64
    let secret: [UInt8]

    /// The period at a time, in seconds since 1970.
    static func period(at time: Int64) -> Int64 { time / periodSeconds }

    init(period: Int64, secret: [UInt8]) {
        self.period = period
        self.secret = secret
    }

    /// Says nothing of the secret.
    package var description: String { "ticket secret of period \(period)" }

    /// A new one, that nobody else has, from the period before `time` on: a Berth whose clock is behind can use it too.
    static func random(at time: Int64, _ bytes: [UInt8]) -> TicketRatchet {
        TicketRatchet(period: period(at: time) - 1, secret: bytes)
    }

    /// The same one in a later period; nil if that is an earlier one, or absurdly late.
    func advanced(to later: Int64) -> TicketRatchet? {
        guard later >= period, later - period <= TicketRatchet.maximumSteps else { return nil }
        var secret = secret
        for _ in period..<later { secret = MessageAuthenticator(key: secret).derive("berth ticket ratchet") }
        return TicketRatchet(period: later, secret: secret)
    }

    /// The secrets to use at a time: the present one, the next and, if it is known, the one before, for clocks differ. Empty
    /// if this one is of a later time.
    func secrets(at time: Int64) -> [[UInt8]] {
        let now = TicketRatchet.period(at: time)
        return [now, now + 1, now - 1].compactMap { advanced(to: $0)?.secret }
    }
}
