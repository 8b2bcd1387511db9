"""What bench/abuse is made of: attackers, their victims, and the replicas behind both."""
