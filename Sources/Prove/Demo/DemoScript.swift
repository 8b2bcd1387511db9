/// What the demo does when, and what it says about it.
package struct DemoScript: Sendable {
    /// A step, and what a reader should see in it.
    package struct Scene: Equatable, Sendable {
        /// What is done, and when.
        package let step: ProveSchedule.Step
        /// What it shows, in a few words; empty for the end of an earlier one.
        package let meaning: String
    }

    /// In order of time.
    package let scenes: [Scene]

    /// `seconds`: the length of the demo.
    package init(seconds: Double) {
        func scene(_ part: Double, _ disturbance: Disturbance, _ meaning: String = "") -> Scene {
            Scene(step: ProveSchedule.Step(at: part * seconds, disturbance), meaning: meaning)
        }
        scenes = [
            scene(0.12, .kill(1), "its sessions go on with other servers, under the ids that clients know"),
            scene(0.20, .start(1)),
            scene(0.28, .reload(changes: true), "a changed file, and no connection is closed"),
            scene(0.36, .upgrade(workers: 3), "a new process takes over the listening sockets"),
            scene(0.46, .stop(2), "a server that hangs: health checks take it out"),
            scene(0.56, .resume(2)),
            scene(0.64, .rotateKey, "sessions signed with the old key stay valid"),
            scene(0.68, .rotateCertificate, "new connections get it"),
            scene(0.74, .drain(0), "it keeps its sessions and gets no new ones"),
            scene(0.84, .terminate(0), "a rolling restart"),
            scene(0.87, .start(0)),
            scene(0.90, .undrain(0)),
        ]
    }
}
