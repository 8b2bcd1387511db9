/// What the keys of session tickets are derived from: the same for every Berth of a fleet, so that each resumes what
/// another began, a restarted one included.
///
/// The keys themselves change every 12 hours by the clock, without anybody saying so. A ticket opens in the period it
/// was made in and in the next, and in the one before as well, for clocks that are not quite alike. Whoever learns the
/// secrets can open all tickets, so they are guarded as session keys are.
package struct TicketSecrets: Equatable, Sendable {
    /// At least 32 bytes each, newest first: the first makes tickets, all open them.
    package var secrets: [[UInt8]]
    /// Added to the clock: tests have no twelve hours.
    package var secondsAhead: Int64 = 0

    package init(_ secrets: [[UInt8]]) {
        self.secrets = secrets
    }
}
