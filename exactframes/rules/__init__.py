"""What a packet's bytes prove about it, codec by codec: where decoding begins, what others refer to."""
