/// What became of the sessions that were open when something happened to the fleet.
package struct ScenarioResult: Equatable, Sendable, Codable {
    /// What happened.
    package var scenario: String
    /// How requests find their session's server.
    package var scheme: Scheme
    /// Their server is gone. No scheme can help that.
    package var orphaned = 0
    /// Their server is there, and their requests go to another one, which does not know them.
    package var moved = 0
    /// Their server is there, and the balancer that their requests come to does not know which it is.
    package var forgotten = 0
    /// Of the orphaned, those that go on with another server where `on_lost` is `always`.
    package var recovered = 0
    /// The same where it is `clean`.
    package var recoveredClean = 0
    /// Of servers that drained, the sessions that were left when they were removed; they count as orphaned.
    package var leftAfterDrain = 0
    /// How sessions are spread when all that were displaced have been opened anew, by Berth or by their clients.
    package var spread: LoadSpread

    /// Sessions whose next request fails for good: 404, and the client must initialize.
    package var lost: Int { orphaned + moved + forgotten - recovered }
    /// The same where `on_lost` is `clean`.
    package var lostClean: Int { orphaned + moved + forgotten - recoveredClean }
}
